"""No secret leaves a run: not by its output, its command lines, or what Ansible has on disk."""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import os
import pwd
import time
from collections.abc import Callable
from pathlib import Path

from tests.harness import Lab, Run

# A JSON Web Token begins with {"alg" or {"typ", in base64.
TOKENS = ["eyJhbGci", "eyJ0eXAi"]


def _modules_with(words: list[str]) -> set[str]:
    """The words that stand in what Ansible has on disk for its modules right now; it removes each file when the module ends."""
    found = set()
    # Ansible's own files are below HOME, those of its modules in the home that the system knows for the user.
    homes = {Path.home(), Path(pwd.getpwuid(os.getuid()).pw_dir)}
    for path in itertools.chain.from_iterable((home / ".ansible" / "tmp").rglob("*") for home in homes):
        with contextlib.suppress(OSError):
            content = path.read_bytes() if path.is_file() else b""
            found |= {word for word in words if word.encode() in content}
    return found


def _seen_during(lab: Lab, words: list[str], *command: str, on_files: Callable[[set[str]], None] = lambda _: None) -> tuple[Run, list[str], set[str]]:
    """A command's result, and the command lines and files that held the words while it ran; ``on_files`` gets the files at once."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(lab.run, *command)
        lines: list[str] = []
        files: set[str] = set()
        while not running.done():
            lines += [line for line in lab.processes() if any(word in line for word in words)]
            files |= _modules_with(words)
            on_files(files)
            time.sleep(0.05)
    return running.result(), lines, files


def test_no_secret_leaves(lab: Lab) -> None:
    wanted = [lab.environment["AZURE_SECRET"], *TOKENS, "PRIVATE KEY"]
    sources = [str(lab.inventories / "westeurope.yml"), str(lab.probes)]
    words = [word for source in sources for word in ("-i", source)]
    run, lines, files = _seen_during(lab, wanted, "ansible-playbook", *words, "dualstack.aks.site", "-vvv")
    assert run.code == 0, run.output[-2000:]
    assert (lines, files) == ([], set())
    assert [text for text in wanted if text in run.output] == []
    for path in lab.folder.rglob("*"):
        # A node's disk is the lab's: its kubelet keeps its own key there, as on any node.
        kept_apart = {"secrets", "pki", "nodes"} & set(path.relative_to(lab.folder).parts)
        if path.is_file() and not kept_apart:
            content = path.read_bytes()
            assert [text for text in wanted if text.encode() in content] == [], path


def test_a_token_on_disk_would_be_seen(lab: Lab, tmp_path: Path) -> None:
    """Without pipelining Ansible writes a module with its arguments: what test_no_secret_leaves looks for is found then."""
    seen = tmp_path / "seen"
    # The module waits for the search, which is slow on some machines.
    waiting = f"timeout 60 sh -c 'until test -e {seen}; do sleep 0.1; done' # {TOKENS[0]}OiJub25lIn0"
    module = ["-m", "ansible.builtin.shell", "-a", waiting, "-e", "ansible_pipelining=false"]
    _, _, files = _seen_during(lab, TOKENS, "ansible", "localhost", *module, on_files=lambda found: seen.touch() if found else None)
    assert files == {TOKENS[0]}
