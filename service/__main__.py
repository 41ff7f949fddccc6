"""The command line: ``python -m service [run | check | explain TOKEN | config]``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from service.errors import SettingsError
from service.operations.logs import report_start_error
from service.operations.processes import program
from service.operations.start_errors import describe_start_error
from service.settings.problems import NO_ISSUER
from service.settings.program import SECRETS, Settings
from service.settings.sources import LoadedSettings, load_settings
from service.text import escape_unprintable
from service.urls import is_loopback
from service.version import __version__

_DEMO_ISSUER_PORT = 9400
_DEMO_CLIENT = "0oaspa00000000000001"
"""The fake issuer's single-page app, as which the docs page signs users in."""
_DEMO_TOKEN_LIFETIME = 24 * 3600
"""Seconds."""
_MAX_SHOWN_LENGTH = 40
"""The longest argument, in characters, that an error message repeats."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 failed, 2 wrong usage or settings."""
    options = _parse(arguments)
    try:
        status = _run(options)
        sys.stdout.flush()  # what cannot be written is an error of this command, not of the end of the interpreter
    except SettingsError as exc:
        report_start_error(str(exc))
        return 2
    except BrokenPipeError:  # as with `| head`
        _discard_output()
        return 1
    except OSError as exc:
        report_start_error(escape_unprintable(describe_start_error(exc)))
        _discard_output()
        return 1
    except KeyboardInterrupt:  # of a command that handles no signals
        return 1
    return status


def _discard_output() -> None:
    """Discard what cannot be written: the interpreter would try again at its end, and exit with 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(options: dict[str, Any]) -> int:
    command, demo, issuer_port = options.pop("command"), options.pop("demo"), options.pop("issuer_port")
    token_words = options.pop("token")
    proof, method, url = options.pop("proof"), options.pop("method"), options.pop("url")
    as_json, advisories = options.pop("json"), options.pop("advisories")
    files = {"env_file": options.pop("env_file"), "config_file": options.pop("config")}
    if demo:
        return asyncio.run(_run_demo(options, issuer_port, **files))
    loaded = load_settings(options, **files)
    if command == "config":
        _print_settings(loaded)
    elif command == "check":
        from service.operations.doctor.command import run_check  # noqa: PLC0415  # a service starts faster without
        from service.operations.loading import find_routes  # noqa: PLC0415  # as above

        _require_issuer(loaded.settings)
        routes = asyncio.run(find_routes(loaded.settings))
        show_routes = "" in loaded.settings.routes
        return asyncio.run(
            run_check(loaded.settings, routes=routes, show_routes=show_routes, as_json=as_json, advisories=advisories)
        )
    elif command == "explain":
        from service.operations.doctor.command import run_explain  # noqa: PLC0415  # as above
        from service.operations.doctor.proof_rules import ProofRequest  # noqa: PLC0415  # as above

        _require_issuer(loaded.settings)
        request = ProofRequest(proof=proof, method=method, url=url) if proof else None
        return asyncio.run(run_explain(token_words, loaded.settings, request=request))
    else:
        return program.run(loaded.settings, reload=lambda: load_settings(options, **files).settings)
    return 0


def _require_issuer(settings: Settings) -> None:
    if not settings.trusted_issuers:  # as with an application that has settings of its own
        raise SettingsError([NO_ISSUER])


def _parse(arguments: Sequence[str] | None) -> dict[str, Any]:
    parser = _parser()
    known, unknown = parser.parse_known_intermixed_args(arguments)
    options = vars(known)
    if options["demo"] and options["command"] != "run":
        parser.error(f"--demo serves, and {options['command']} does not; leave one of them out")
    if options["command"] == "explain":
        if unknown or not options["token"]:
            # The arguments are not repeated: one of them may be a token that begins with a hyphen.
            parser.error("explain takes one token; write explain - to give it on standard input")
        if bool(options["proof"]) != bool(options["url"]):
            parser.error("explain --dpop needs the URL of the request as well: --dpop PROOF --method GET --url URL")
    elif (options["json"] or options["advisories"]) and options["command"] != "check":
        parser.error("--json and --advisories belong to check")
    elif options["proof"] or options["url"]:
        parser.error("--dpop and --url belong to explain TOKEN")
    elif unknown := [*unknown, *options["token"]]:
        parser.error(f"unrecognized arguments: {' '.join(map(_hide_long_text, unknown))}")
    return options


def _hide_long_text(text: str) -> str:
    """Return an argument for an error message, unless it may be a misplaced token."""
    return text if len(text) <= _MAX_SHOWN_LENGTH else "(a long text)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m service",
        description="An OAuth 2.0 resource server: serves an API that requires access tokens.",
        epilog="Settings also come from the environment (OKTA_OAUTH2_ISSUER, SERVICE_PORT, …), .okta.env and --config.",
    )
    parser.add_argument(
        "command", nargs="?", choices=["run", "check", "explain", "config"], default="run", type=_hide_long_text,
        help="run: serve (the default); check: test the settings and the issuer, one line a check; "
        "explain: show rule by rule why a token is accepted or rejected; "
        "config: show the effective settings and their sources",
    )  # fmt: skip
    add = parser.add_argument
    add("token", nargs="*", metavar="TOKEN", help="the token to explain; - reads it from standard input")
    add("--dpop", dest="proof", metavar="PROOF", help="with explain: the DPoP proof that was sent with the token")
    add("--method", default="GET", help="with explain --dpop: the method of that request (default %(default)s)")
    add("--url", help="with explain --dpop: the URL of that request")
    add("--json", action="store_true", help="with check: print one JSON object in place of lines")
    add(
        "--advisories",
        type=Path,
        metavar="FILE",
        help="with check: known advisories, as pip-audit --format json prints them, or OSV records",
    )
    add("--demo", action="store_true", help="also start the fake issuer, and print curl commands")
    add("--issuer-port", type=int, default=_DEMO_ISSUER_PORT, metavar="PORT",
        help="port of the fake issuer of --demo (default %(default)s, 0 = any free one)")  # fmt: skip
    add("--config", type=Path, metavar="FILE", help="a TOML file of settings")
    add("--env-file", type=Path, metavar="FILE", help="a file of NAME=value lines (default .okta.env when there)")
    add("--issuer", metavar="URL", help="the issuer whose tokens are accepted")
    add("--audience", metavar="TEXT", help="the audience that tokens must have")
    add("--address", help="address to listen on, or unix:/path (default 127.0.0.1)")
    add("--port", type=int, help="port to listen on (default 8080, 0 = any free one)")
    add(
        "--admin-port",
        type=int,
        help="port of the deny list and the metrics (default: off, 0 = any free one)",
    )
    add(
        "--processes",
        type=int,
        metavar="N",
        help="number of worker processes (default 1, 0 = one a core, within the CPU quota)",
    )
    add("--routes", action="append", nargs="?", const="", metavar="MODULE:ATTRIBUTE",
        help="the routes to protect, in place of the guide's endpoints; repeatable; "
        "check --routes, without a value, prints all routes and what each method requires")  # fmt: skip
    add("--app", metavar="MODULE:ATTRIBUTE",
        help="the Tornado application to serve in place of routes, or a function that returns it and takes the "
        "settings or no argument; it is protected unless it is protected already")  # fmt: skip
    add("--certfile", metavar="FILE", help="serve TLS with this certificate")
    add("--keyfile", metavar="FILE", help="the certificate's private key")
    add("--client-ca", metavar="FILE", help="accept tokens bound to client certificates of these CAs")
    add("--log-format", choices=["text", "json"])
    add("--log-level", choices=["debug", "info", "warning", "error"])
    add("--version", action="version", version=f"tornado-resource-server {__version__}")
    return parser


async def _run_demo(options: dict[str, Any], issuer_port: int, **files: Path | None) -> int:
    # The only import between the two packages; the fake issuer is an optional extra.
    import fakeissuer  # noqa: PLC0415  # see above

    try:
        running = fakeissuer.running
    except fakeissuer.SettingsError as exc:  # the extra is not installed
        raise SettingsError(exc.problems) from None
    async with contextlib.AsyncExitStack() as stack:
        try:
            issuer = await stack.enter_async_context(running(port=issuer_port))
        except fakeissuer.SettingsError as exc:
            problems = [f"{problem}; for another port of the fake issuer: --issuer-port" for problem in exc.problems]
            raise SettingsError(problems) from None
        options |= {"issuer": issuer.issuer_url("default"), "audience": "api://default", "docs_client_id": _DEMO_CLIENT}
        settings = load_settings(options, **files).settings
        if not is_loopback(settings.address):
            problem = (
                f"address: was {settings.address!r}; the demo issues tokens to every client that reaches it, "
                "so it listens on loopback addresses only; leave --address out, or configure a real issuer"
            )
            raise SettingsError([problem])
        if settings.processes != 1:
            problem = f"processes: was {settings.processes}; the demo runs in one process; leave --processes out"
            raise SettingsError([problem])
        token = issuer.token(sub="alice@example.com", expires_in=_DEMO_TOKEN_LIFETIME)
        greeting = _startup_message(issuer.issuer_url("default"), token)
        await program.serve(settings, on_listening=lambda url: print(greeting.replace("{api}", url), flush=True))
    return 0


def _startup_message(issuer: str, token: str) -> str:
    return f"""\
The fake issuer runs at {issuer}, and the API at {{api}}.
Paste these into another terminal; the token is good for {_DEMO_TOKEN_LIFETIME // 3600} hours.

# public: 200
curl -i {{api}}/api/hello

# without a token: 401
curl -i {{api}}/api/whoami

# with a token: 200
curl -i -H 'Authorization: Bearer {token}' {{api}}/api/whoami

In a browser, open {{api}}/docs to read and try the API; sign in as alice@example.com with the password: password
"""


def _print_settings(loaded: LoadedSettings) -> None:
    for name in Settings.model_fields:
        value = getattr(loaded.settings, name)
        text = "(hidden)" if name in SECRETS and value is not None else repr(value)
        print(f"{name} = {text}  # {loaded.origins.get(name, 'default')}")
    for issuer in loaded.settings.trusted_issuers:
        origin = "effective" if loaded.settings.profile or loaded.settings.issuers else "default"
        print(f"profile of {issuer.issuer} = {str(issuer.profile)!r}  # {origin}")


if __name__ == "__main__":
    sys.exit(main())
