"""Time create, no-op and check of one stamp in a lab without clusters: seconds, requests, critical path.

make bench
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.harness import AZURE_TAGS, OURS, Lab


def main() -> None:
    lab = Lab("--no-kubernetes")
    try:
        lab.playbook("shared")
        print(f"{'run':8} {'seconds':>8} {'requests':>9} {'writes':>7} {'critical path':>14}")
        arguments = ["--tags", AZURE_TAGS, "-v"]
        for name, more in (("create", []), ("no-op", []), ("check", ["--check"])):
            before = len(lab.entries())
            started = time.monotonic()
            run = lab.playbook("site", *arguments, *more)
            seconds = time.monotonic() - started
            if run.code:
                sys.exit(run.output)
            requests = [entry for entry in lab.entries(before) if entry["client"].startswith(OURS)]
            path = sum(float(number) for number in re.findall(r"critical_path: ([0-9.]+)", run.output))
            print(f"{name:8} {seconds:8.1f} {len(requests):9} {len(lab.our_writes(before)):7} {path:12.1f} s")
    finally:
        lab.close()


if __name__ == "__main__":
    main()
