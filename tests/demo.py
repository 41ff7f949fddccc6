"""Starts the demo, runs each curl line that it prints, and checks the responses.

Needs nothing but the installed packages and curl, so that it can be run in an environment without test tools.
"""

from __future__ import annotations

import subprocess
import sys
import threading

EXPECTED = ["200", "401", "200"]


def main() -> int:
    """Return 0 when the printed curl lines give 200, 401 and 200."""
    command = [sys.executable, "-u", "-m", "service", "--demo", "--port", "0", "--issuer-port", "0"]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(60, demo.kill)
    watchdog.start()
    try:
        lines = _curl_lines(demo)
        got = [_status(line) for line in lines]
    finally:
        demo.terminate()
        demo.communicate()
        watchdog.cancel()
    sys.stdout.write(f"the printed curl lines gave {', '.join(got)}; expected {', '.join(EXPECTED)}\n")
    return 0 if (got, demo.returncode) == (EXPECTED, 0) else 1


def _curl_lines(demo: subprocess.Popen[str]) -> list[str]:
    assert demo.stdout is not None
    lines: list[str] = []
    for line in demo.stdout:
        lines += [line.strip()] if line.startswith("curl ") else []
        if len(lines) == len(EXPECTED):
            break
    return lines


def _status(line: str) -> str:
    # The printed line, made quiet.
    done = subprocess.run(["sh", "-c", f"{line} -sS"], capture_output=True, text=True, check=True)  # noqa: S607  # the user's own shell
    return done.stdout.split()[1]


if __name__ == "__main__":
    sys.exit(main())
