"""What a reader in a pipe sees of what a program prints, and what the program sees of a reader that has read enough."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

#: prints far more than any buffer holds to a reader that may be gone
PRINTING = """\
import sys
from ansible_collections.dualstack.aks.plugins.plugin_utils._printing import print_at_once
print_at_once()
print("first")
sys.stdin.read()
for number in range(3000):
    print("more" * 20)
    print("more" * 20, file=sys.stderr)
print("much" * 20000)
print_at_once()
open(sys.argv[1], "w").write("went on")
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_line_comes_at_once_and_nobody_has_to_read_the_rest(tmp_path: Path, unbuffered: str) -> None:
    ended = tmp_path / "ended"
    with subprocess.Popen(
        [sys.executable, "-c", PRINTING, str(ended)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    ) as process:
        assert process.stdin and process.stdout
        # It waits for us, and has printed this line.
        assert process.stdout.readline() == "first\n"
        process.stdout.close()
        process.stdin.close()
        assert process.wait(60) == 0
    assert ended.read_text() == "went on"
