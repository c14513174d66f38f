"""A reader of the documentation: does what a page says, from its first block to its last, as a client of a lab."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from lab.state import CHECKOUT
from lab.supplies import binaries, debian
from tests.harness import HANGING, Lab
from tests.pages import Block, blocks, pages

_BIN = Path(sys.executable).parent
#: Programs that the reader's machine has and a test must not use: what they would change or download, and what is checked instead.
_STAND_INS = {
    # A checkout of links, but for what a reader changes: that stays in the reader's folder.
    "git": """case "$1" in
  clone)
    mkdir "$3"
    for entry in "$CHECKOUT"/* "$CHECKOUT"/.venv; do ln -s "$entry" "$3/"; done
    rm "$3/inventories" "$3/examples"
    cp -r "$CHECKOUT/inventories" "$CHECKOUT/examples" "$3/" ;;
  add) test -e "$2" ;;
  commit) test "$2" = --message ;;
  *) exit 1 ;;
esac""",
    # The target exists.
    "make": """case "$1" in -C) shift 2 ;; esac
exec /usr/bin/make --directory "$CHECKOUT" --dry-run "$@" >/dev/null""",
    # The file is part of the collection.
    "pip": 'test "$1 $2" = "install -r" && test -f "$CHECKOUT/${3#*dualstack/aks/}"',
    # The name is the collection's; a build is a build, and leaves its artefact in the reader's folder.
    "ansible-galaxy": """case "$1 $2" in
  "collection install") test "$3" = dualstack.aks ;;
  "collection build") exec "$BIN/ansible-galaxy" collection build --output-path "$PWD" --force "$CHECKOUT" ;;
  *) exit 1 ;;
esac""",
    # Everything but the build of the image.
    "ansible-builder": """test "$1" = build
exec "$BIN/ansible-builder" create --file "$CHECKOUT/execution-environment.yml" --context context""",
    # tests/readers has the Azure CLI itself.
    "az": """case "$*" in
  "account show --query id --output tsv") echo "$AZURE_SUBSCRIPTION_ID" ;;
  login*) ;;
  cloud*) ;;
  "network vnet list --output table") ;;
  "aks show --resource-group rg-theirs --name theirs --query id --output tsv")
    echo "/subscriptions/$AZURE_SUBSCRIPTION_ID/resourceGroups/rg-theirs/providers/Microsoft.ContainerService/managedClusters/theirs" ;;
  *) exit 1 ;;
esac""",
    # The other machine is this one.
    "ssh": 'shift; exec "$@"',
}


@dataclass
class Reader:
    """Follows pages in a folder of its own, against one lab."""

    lab: Lab
    folder: Path
    #: a file that a page writes -> what the page leaves to the reader before it
    before: dict[str, str] = field(default_factory=dict)
    commands: int = 0
    #: what pages before this one have run against the same lab with the same inventory; to run it once more would show nothing new
    known: set[str] = field(default_factory=set)

    @property
    def _programs(self) -> Path:
        found = self.folder / "programs"
        found.mkdir(exist_ok=True)
        for name, text in _STAND_INS.items():
            (found / name).write_text(f"#!/bin/bash\nset -eu\nBIN={shlex.quote(str(_BIN))} CHECKOUT={shlex.quote(str(CHECKOUT))}\n{text}\n")
            (found / name).chmod(0o755)
        return found

    def follow(self, page: str) -> str:
        """Run all commands of a page in one shell, and write its files before the commands that follow them; what was printed."""
        found = [block for block in blocks(page) if block.kind == "commands" or block.path]
        self.commands += sum(len(block.commands) for block in found if block.kind == "commands")
        text = "set -euo pipefail\n" + "".join(map(self._step, found))
        kubectl = binaries.path_of("kubectl").parent
        clusters = {"KUBECONFIG": os.pathsep.join(map(str, self.lab.state.kubeconfigs().values()))}
        path = os.pathsep.join(map(str, [self._programs, _BIN, kubectl, self.lab.environment["PATH"], debian.environment()["PATH"]]))
        run = subprocess.run(
            ["bash"],
            input=text,
            cwd=self.folder,
            env=self.lab.environment | clusters | {"PATH": path, "PYTHONPATH": str(CHECKOUT), "ANSIBLE_NOCOLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=HANGING,
            check=False,
        )
        assert run.returncode == 0, f"{page} ends with {run.returncode}:\n{run.stdout[-12000:]}"
        return run.stdout

    def _step(self, block: Block) -> str:
        if block.kind == "commands":
            text = "".join(line for line in block.text.splitlines(keepends=True) if line.strip() not in self.known)
            return f"echo '::: {block}'\n{text}"
        name = shlex.quote(block.path)
        write = f"mkdir -p \"$(dirname {name})\"\ncat > {name} <<'END OF THE FILE'\n{block.text}END OF THE FILE\n"
        # Hosts of a page are nobody's; the lab's clients ask in their place.
        write = self.before.get(block.path, ":") + "\n" + write
        return write + (f"python -m lab inventory > {name}\n" if block.path.endswith("probes.yml") else "")


def pages_with_commands() -> set[str]:
    """The pages that a reader has something to do in."""
    return {page for page in pages() if any(block.kind == "commands" for block in blocks(page))}
