"""The command line: ``python -m fakeissuer`` serves, ``python -m fakeissuer token`` requests a token."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fakeissuer.errors import SettingsError, TokenRequestError, report_missing_extra
from fakeissuer.server.environment import CONTROL_TOKEN_VARIABLE, control_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fakeissuer.server.serving import ServingOptions

_DEFAULT_PORT = 9400
_MAX_PORT = 65_535
_PROFILES = (
    *("okta", "strict-rfc", "adfs", "auth0", "authentik", "cognito", "entra", "entra-v1", "google"),
    *("hydra", "keycloak", "zitadel"),
)
"""The names of ``fakeissuer.profiles.names``, which imports more than ``token`` needs."""

DONE, FAILED, WRONG_USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage or settings."""
    options = _parser().parse_args(arguments)
    try:
        with report_missing_extra():
            status = int(options.run(options))
        sys.stdout.flush()  # what cannot be written is an error of this command, not of the end of the interpreter
    except SettingsError as exc:
        for problem in exc.problems:
            print(problem, file=sys.stderr)
        return WRONG_USAGE
    except BrokenPipeError:  # as with `| head`
        _discard_output()
        return FAILED
    except OSError as exc:
        name = "" if exc.filename is None else f"{exc.filename}: "
        print(f"cannot go on: {name}{exc.strerror or exc}", file=sys.stderr)
        _discard_output()
        return FAILED
    except KeyboardInterrupt:  # raised before the signal handlers are installed, and by ``token``, which has none
        return FAILED
    return status


def _discard_output() -> None:
    """Discard what cannot be written: the interpreter would try again at its end, and exit with 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _serve(options: argparse.Namespace) -> int:
    from fakeissuer.server.logs import configure_logs  # noqa: PLC0415  # ``token`` starts faster without it
    from fakeissuer.server.serving import ServingOptions  # noqa: PLC0415  # as above

    configure_logs(options.log_format)
    serving_options = ServingOptions(
        address=options.address,
        port=options.port,
        public_url=options.public_url,
        tls=options.tls,
        ca_file=options.ca_file,
        client_ca=options.client_ca,
        keys_file=options.keys,
        config_file=options.config,
        profile=options.profile,
        auto_login=options.auto_login,
        control_token=control_token(),
        insecure_any_address=options.insecure_any_address,
    )
    asyncio.run(_serve_until_signalled(serving_options))
    return DONE


async def _serve_until_signalled(options: ServingOptions) -> None:
    from fakeissuer.server.banner import startup_message  # noqa: PLC0415  # as above
    from fakeissuer.server.serving import ServingIssuer  # noqa: PLC0415  # as above

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stopping.set)
    serving = ServingIssuer(options)
    print(startup_message(serving.control.overview()), flush=True)
    serving.start()
    print(f"listening on {serving.url}", file=sys.stderr, flush=True)
    await stopping.wait()
    await serving.stop()


def _print_config(_options: argparse.Namespace) -> int:
    from fakeissuer.server.config_file import seeded_config  # noqa: PLC0415  # as above

    print(seeded_config(), end="")
    return DONE


def _print_token(options: argparse.Namespace) -> int:
    from fakeissuer.server import token_client  # noqa: PLC0415  # only this command needs a client

    try:
        print(token_client.request_token(token_client.TokenRequestOptions.from_options(options), control_token()))
    except TokenRequestError as exc:
        print(exc, file=sys.stderr)
        return FAILED
    return DONE


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415  # slow to import

        print(f"fakeissuer {version('tornado-resource-server')}")
        parser.exit(DONE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fakeissuer",
        description="A scriptable authorization server that imitates Okta, to test an API with.",
        epilog=f"The environment variable {CONTROL_TOKEN_VARIABLE} protects the control plane with a token.",
    )
    parser.set_defaults(run=_serve)
    parser.add_argument("--address", default="127.0.0.1", help="where to listen (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=_DEFAULT_PORT, help="0 is any free one (default: %(default)s)")
    parser.add_argument("--public-url", metavar="URL", help="the issuer's base URL behind a proxy or in a container")
    parser.add_argument(
        "--insecure-any-address",
        action="store_true",
        help="allow an --address that other machines can reach; they can then get tokens",
    )
    parser.add_argument("--tls", action="store_true", help="serve https with a CA created for this run")
    parser.add_argument("--ca-file", metavar="PATH", type=Path, help="write the CA's certificate to this file")
    parser.add_argument("--client-ca", metavar="PATH", type=Path, help="accept client certificates of these CAs")
    parser.add_argument("--keys", metavar="FILE", type=Path, help="store the keys in this file")
    parser.add_argument("--config", metavar="FILE", type=Path, help="TOML with more servers, clients and users")
    parser.add_argument(
        "--profile", choices=_PROFILES, default="okta", help="the server to imitate (default: %(default)s)"
    )
    parser.add_argument("--auto-login", metavar="USER", help="sign in this user and grant consent without a page")
    parser.add_argument("--log-format", choices=("text", "json"), default="text", help="default: %(default)s")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_token_command(commands.add_parser("token", help="request a token from a running fake issuer"))
    config = commands.add_parser("config", help="print the initial configuration as a file for --config")
    config.set_defaults(run=_print_config)
    return parser


def _add_token_command(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_print_token)
    parser.add_argument("--server", metavar="ID", help="the authorization server (default: default)")
    parser.add_argument("--sub", metavar="LOGIN", help="the user (default: a token for the client itself)")
    parser.add_argument("--scope", metavar='"A B"', help="scopes separated by spaces (default: the server's)")
    parser.add_argument("--claim", metavar="NAME=JSON", action="append", default=[], help="a claim; null removes one")
    parser.add_argument("--expires-in", metavar="SECONDS", type=int, help="lifetime; negative for an expired token")
    parser.add_argument(
        "--issuer",
        metavar="URL",
        default=f"http://127.0.0.1:{_DEFAULT_PORT}",
        help="the URL of the fake issuer or of one of its servers (default: %(default)s)",
    )
    parser.add_argument("--ca-file", metavar="PATH", help="the CA certificate of a fake issuer that serves https")


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > _MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; expected 0 to {_MAX_PORT}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
