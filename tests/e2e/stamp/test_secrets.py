"""No secret leaves a run: not by its output, its command lines, or what Ansible has on disk."""

from __future__ import annotations

import concurrent.futures
import contextlib
import time
from pathlib import Path

from tests.harness import Lab, Run

# A JSON Web Token begins with {"alg" or {"typ", in base64.
TOKENS = ["eyJhbGci", "eyJ0eXAi"]


def _modules_with(words: list[str]) -> set[str]:
    """The words that stand in what Ansible has on disk for its modules right now; it removes each file when the module ends."""
    found = set()
    for path in (Path.home() / ".ansible" / "tmp").rglob("*"):
        with contextlib.suppress(OSError):
            content = path.read_bytes() if path.is_file() else b""
            found |= {word for word in words if word.encode() in content}
    return found


def _seen_during(lab: Lab, words: list[str], *command: str) -> tuple[Run, list[str], set[str]]:
    """A command's result, and where the words stood meanwhile: in command lines, and on disk."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(lab.run, *command)
        lines: list[str] = []
        files: set[str] = set()
        while not running.done():
            lines += [line for word in words for line in lab.processes(word)]
            files |= _modules_with(words)
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


def test_a_token_on_disk_would_be_seen(lab: Lab) -> None:
    """Without pipelining Ansible writes a module with its arguments: what test_no_secret_leaves looks for is found then."""
    module = ["-m", "ansible.builtin.shell", "-a", f"sleep 2 # {TOKENS[0]}OiJub25lIn0", "-e", "ansible_pipelining=false"]
    _, _, files = _seen_during(lab, TOKENS, "ansible", "localhost", *module)
    assert files == {TOKENS[0]}
