"""Asks the kernel whether it takes a ruleset."""

from __future__ import annotations

import subprocess

from lab.supplies import debian


def accepted_by_nft(text: str) -> None:
    """In namespaces of its own, where anybody may ask."""
    words = ["unshare", "--map-root-user", "--net", str(debian.path_of("nft")), "--check", "-f", "-"]
    checked = subprocess.run(words, input=text, env=debian.environment(), capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, ""), text
