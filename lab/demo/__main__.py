"""``python -m lab.demo``: deploy the application to every cluster, request it as each client, and say what to do next."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..__main__ import client_environment
from ..arm.dns.kinds import PUBLIC_ZONE
from ..arm.store import Store
from ..output import ending_with_its_reader
from ..packets import clients
from ..state import State
from ..supplies import binaries
from . import tour
from .watch import watch

_APPLICATION = Path(__file__).with_name("application.yml")
#: curl's exit code for a name that has no address
_NOT_RESOLVED = 6
#: Each name server reads its zones again by a clock of its own; busy machines take longer.
_SECONDS_TO_RESOLVE = 10
_COLUMNS = ("stamp", "client", "status", "asked for", "connected to", "entrance's proxy", "application answered over", "client's address it saw")


def _kubectl(configuration: Path, *words: str) -> str:
    command = [str(binaries.path_of("kubectl")), "--kubeconfig", str(configuration), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=180).stdout


def deploy(state: State) -> None:
    """Deploy the application to every cluster, and wait for its pods where pods run."""
    for name, configuration in sorted(state.kubeconfigs().items()):
        _kubectl(configuration, "apply", "-f", str(_APPLICATION))
        if state.clients.exists():
            _kubectl(configuration, "-n", "apps", "rollout", "status", "deployment/shop", "--timeout=120s")
            print(f"demo: the application runs in {name}", flush=True)


def names(state: State) -> dict[str, str]:
    """Stamp -> the name that its entrances have in the public zone."""
    found = {}
    for record in Store(state.store).resources.values():
        if record.type.lower() == f"{PUBLIC_ZONE}/A".lower():
            zone = record.id.split("/")[-3]
            found[record.name.rpartition(".")[2]] = f"{record.name}.{zone}"
    return found


def request(state: State, client: str, name: str) -> dict[str, Any]:
    """A client's answer: status, the address that it connected to, and what the application reports of the request; whether the name resolved."""
    command = [str(clients.script(state.clients, client)), "curl", "-sS", "-m", "5", "-w", "\n%{json}", f"http://{name}/"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    body, _, written = done.stdout.rpartition("\n")
    facts = json.loads(written or "{}")
    try:
        seen = json.loads(body)
    except ValueError:
        seen = {}
    return {
        "status": facts.get("response_code", 0),
        "address": facts.get("remote_ip", ""),
        "error": facts.get("errormsg") or "",
        "resolved": done.returncode != _NOT_RESOLVED,
        "seen": seen,
    }


def ask(state: State, client: str, name: str) -> dict[str, Any]:
    """A client's answer; waits for a name that was published a moment ago."""
    deadline = time.monotonic() + _SECONDS_TO_RESOLVE
    while True:
        answer = request(state, client, name)
        if answer["resolved"] or time.monotonic() > deadline:
            return answer
        time.sleep(0.2)


def _proxies(state: State) -> dict[str, str]:
    """Address of a pod -> its name, in all clusters."""
    found: dict[str, str] = {}
    for configuration in state.kubeconfigs().values():
        for pod in json.loads(_kubectl(configuration, "get", "pods", "--all-namespaces", "-o", "json"))["items"]:
            found |= {item["ip"]: pod["metadata"]["name"] for item in pod["status"].get("podIPs") or []}
    return found


def rows(state: State) -> list[tuple[str, ...]]:
    """One row for each stamp and client."""
    proxies = _proxies(state)
    found: list[tuple[str, ...]] = []
    for stamp, name in sorted(names(state).items()):
        for client in clients.INTERNET_CLIENTS:
            answer = ask(state, client.name, name)
            seen = answer["seen"]
            peer = str(seen.get("peer", "")).rpartition(":")[0].strip("[]")
            forwarded = ", ".join((seen.get("headers") or {}).get("x-forwarded-for") or [])
            status = str(answer["status"] or answer["error"])
            found.append((stamp, client.name, status, name, answer["address"], proxies.get(peer, peer), seen.get("family", ""), forwarded))
    return found


def print_table(table: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[number]) for row in table) for number in range(len(table[0]))]
    for row in table:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def show(state: State) -> bool:
    """Print the table; returns whether every client got an answer."""
    found = rows(state)
    print_table([_COLUMNS, *found])
    return all(row[2] == "200" for row in found)


def run_watched(state: State, words: Sequence[str]) -> int:
    """Run a command while each client keeps requesting each stamp, and print what they got; the command's exit status."""
    known = names(state)
    pairs = [(stamp, client.name) for stamp in sorted(known) for client in clients.INTERNET_CLIENTS]
    code, table = watch(
        pairs,
        lambda stamp, client: request(state, client, known[stamp]),
        words,
        client_environment(state),
        lambda text: print(f"demo: {text}", flush=True),
    )
    print_table(table)
    return code


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m lab.demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("deploy", help="deploy the application to every cluster")
    commands.add_parser("show", help="request it as each client, and print the answers")
    watching = commands.add_parser("watch", help="run a command as a client of the lab while each client keeps requesting each stamp")
    watching.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    commands.add_parser("next", help="print the next commands to try")
    arguments = parser.parse_args()
    state = State.default()
    if arguments.command == "deploy":
        deploy(state)
    elif arguments.command == "next":
        print("\n".join(tour.lines()))
    elif not state.clients.exists():
        print("demo: this lab has no packets (they need root on Linux), so no application runs and no client can send requests")
    elif arguments.command == "watch":
        sys.exit(run_watched(state, arguments.words))
    elif not show(state):
        sys.exit("demo: not every client got its answer")


if __name__ == "__main__":
    with ending_with_its_reader():
        main()
