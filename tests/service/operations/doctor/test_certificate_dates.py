from __future__ import annotations

from pathlib import Path

from certificates import self_signed
from cryptography import x509

from service.operations.doctor.certificate_dates import describe_name


def test_a_certificate_without_host_names_has_its_subject(tmp_path: Path) -> None:
    certificate = x509.load_pem_x509_certificate(self_signed(tmp_path, "api").file.read_bytes())
    assert "the certificate of CN=api" == describe_name(certificate)
