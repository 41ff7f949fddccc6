from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm

from service.errors import SettingsError
from service.issuers.cache_key import derive_cache_key
from service.settings.program import Settings

TOKEN = "operators-only-0123456789-abcdefghij"
ISSUER = "https://issuer.example"


def _key(**values: Any) -> bytes:
    return derive_cache_key(Settings(**({"issuer": ISSUER, "audience": "api", "cache_url": "redis://cache"} | values)))


@pytest.fixture(scope="module")
def private_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def test_processes_with_the_same_secret_derive_the_same_key() -> None:
    assert _key(cache_secret="s" * 32) == _key(cache_secret="s" * 32, client_id="a", client_secret="b")
    assert _key(client_id="a", client_secret="b") == _key(client_id="a", client_secret="b", admin_token=TOKEN)
    assert _key(admin_token=TOKEN) == _key(admin_token=TOKEN, cache_url="redis://another")
    assert 4 == len({_key(cache_secret="s" * 32), _key(cache_secret="t" * 32), _key(admin_token=TOKEN[::-1]), _key(
        client_id="a", client_secret="b")})  # fmt: skip


def test_a_private_key_is_a_secret_in_any_text_format(private_key: ec.EllipticCurvePrivateKey, tmp_path: Path) -> None:
    """With ``private_key_jwt`` there is no client secret; the key of the cache was empty then."""
    pem, traditional, jwk, other = (tmp_path / name for name in ("key.pem", "ec.pem", "key.json", "other.pem"))
    pem.write_bytes(private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    traditional.write_bytes(private_key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    jwk.write_text(str(ECAlgorithm.to_jwk(private_key)))
    another = ec.generate_private_key(ec.SECP256R1())
    other.write_bytes(another.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    keys = [_key(client_id="a", private_key_file=str(path)) for path in (pem, traditional, jwk, other)]
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert 32 == len(keys[0])


def test_the_order_of_the_issuers_does_not_matter() -> None:
    tables = [
        {"issuer": f"https://{name}.example", "audience": "api", "client_id": name, "client_secret": name}
        for name in ("one", "two")
    ]
    assert _key(issuers=tables) == _key(issuers=tables[::-1])


@pytest.mark.parametrize("terms", [{}, {"client_id": "a"}])
def test_without_a_secret_the_shared_cache_stops_the_start(terms: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="SERVICE_CACHE_SECRET"):
        _key(**terms)


def test_a_local_cache_needs_no_secret() -> None:
    assert _key(cache_url="memory://") != _key(cache_url="memory://")
