"""Runs pytest with the arguments of the command line, and the few tests that failed once more, alone.

Many tests wait for real processes, browsers and servers, and three of them run at once; a machine that is busy enough
makes one of twelve thousand exceed its time. A fault of the code fails alone too: hypothesis repeats the example that
it has found.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

MOST_RETRIED = 5
"""Failed tests that are run again; more of them are no coincidence."""


def main() -> int:
    """Return the exit code of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={folder}", *sys.argv[1:]]
        code = subprocess.run(command, check=False).returncode
        file = Path(folder, "v", "cache", "lastfailed")
        failed = json.loads(file.read_text("utf-8")) if code == 1 and file.exists() else {}
        if 0 < len(failed) <= MOST_RETRIED:
            print("failed at the first attempt, and run again alone:", *failed, sep="\n  ", flush=True)
            code = subprocess.run([*command, "--last-failed", "-n", "0"], check=False).returncode
    return code


if __name__ == "__main__":
    sys.exit(main())
