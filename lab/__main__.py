"""``python -m lab``: a local Azure for tests and demonstrations. Listens on loopback only."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests
import yaml

from . import isolation
from .arm import faults, journal
from .arm.compute.sizes import FAMILIES
from .arm.options import PRINCIPALS, QUOTAS, Options
from .kubernetes import cgroups
from .output import become, ending_with_its_reader
from .packets import clients
from .process import terminate
from .service import run, trust_bundle
from .state import CHECKOUT, Settings, State
from .supplies import binaries, debian, go, images
from .supplies.progress import step


def say(text: str) -> None:
    print(f"lab: {text}", flush=True)


def _quota(text: str) -> tuple[str, int]:
    name, _, limit = text.partition("=")
    if name not in (*QUOTAS, *FAMILIES) or not limit.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=LIMIT: use one of {', '.join(QUOTAS)} or a family of VM sizes, and a whole number")
    return name, int(limit)


def get_supplies(packets: bool) -> None:
    """Find, fetch or build what control planes run, and with ``packets`` what nodes, their pods and clients run."""
    go.build([*binaries.missing(say), *(images.missing() if packets else [])], say)
    if packets:
        debian.ensure(say)
        images.ensure(say)


def up(state: State, arguments: argparse.Namespace) -> None:
    """Start the lab, or report that it is running."""
    if arguments.fresh:
        down(state)
        state.remove()
    if state.pid:
        say(f"running at https://localhost:{state.load().port} (process {state.pid})")
        return
    _await_end(state)
    options = Options(
        time_scale=arguments.time_scale,
        unregistered=arguments.unregistered,
        quotas=dict(arguments.quota),
        any_version=arguments.any_version,
        takes_ipv6_ranges=not arguments.refuse_ipv6_ranges,
        kubernetes=not arguments.no_kubernetes,
    )
    packets = options.kubernetes and not arguments.no_packets
    if packets and not isolation.is_possible():
        say("no packets: network namespaces need root on Linux; clusters have Node and Service objects, but no pod runs and no client gets an answer")
        packets = False
    if options.kubernetes:
        get_supplies(packets)
    state.create(Settings(options, latency=arguments.latency, packets=packets, watch=packets and arguments.watch))
    state.ready.unlink(missing_ok=True)
    with state.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lab", "serve", "--state", str(state.folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=CHECKOUT,
            start_new_session=True,
        )
    state.pid = process.pid
    deadline = time.monotonic() + 300
    with step("starting the server", say) as starting:
        while not state.ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                last = "\n".join(state.log.read_text(errors="replace").splitlines()[-20:])
                sys.exit(f"lab: the server did not start; the end of {state.log}:\n{last}")
            time.sleep(0.05)
    say(f"up at https://localhost:{state.load().port} in {starting.took} (process {process.pid}, state in {state.folder})")


def _await_end(state: State) -> None:
    """Wait until the processes of a killed server have ended too."""
    if not state.await_end(60):
        sys.exit(f"lab: process {state.first_process.read_text()} does not end; look at {state.log}")


def down(state: State) -> None:
    """Stop the lab; its state stays for the next ``up``."""
    pid = state.pid
    if pid and not terminate(pid, 60):
        sys.exit(f"lab: process {pid} does not stop; look at {state.log}")
    _await_end(state)
    cgroups.remove(f"/{state.label}")
    state.forget_clients()
    say("down" if pid else "not running")


def status(state: State) -> None:
    settings = state.load()
    running = state.pid
    say(f"{'running' if running else 'down'}: https://localhost:{settings.port}, subscription {settings.azure.subscription}, state in {state.folder}")
    if not running:
        sys.exit(1)


def environment(state: State, principal: str = "client") -> dict[str, str]:
    """The environment variables by which any Azure client reaches this lab, as one of its service principals, and nothing else."""
    settings = state.load()
    options, endpoint = settings.azure, f"https://localhost:{settings.port}"
    # az keeps logins there.
    configuration = state.folder / ("azure-config" if principal == "client" else f"azure-config-{principal}")
    configuration.mkdir(exist_ok=True)
    client, secret = _login(state, principal)
    return {
        "AZURE_SUBSCRIPTION_ID": options.subscription,
        "AZURE_TENANT": options.tenant,
        "AZURE_TENANT_ID": options.tenant,
        "AZURE_CLIENT_ID": client,
        "AZURE_SECRET": secret,
        "AZURE_CLIENT_SECRET": secret,
        "AZURE_CLOUD_ENVIRONMENT": endpoint,
        "ARM_CLOUD_METADATA_URL": f"{endpoint}/metadata/endpoints?api-version=2019-05-01",
        "AZURE_DISABLE_INSTANCE_DISCOVERY": "true",
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CONFIG_DIR": str(configuration),
        "ARM_SUBSCRIPTION_ID": options.subscription,
        "ARM_TENANT_ID": options.tenant,
        "ARM_CLIENT_ID": client,
        "ARM_CLIENT_SECRET": secret,
        # azurerm asks the metadata endpoint for everything; azapi knows no such endpoint and takes each address by itself.
        "ARM_METADATA_HOSTNAME": f"localhost:{settings.port}",
        "ARM_ENVIRONMENT": "custom",
        "ARM_RESOURCE_MANAGER_ENDPOINT": endpoint,
        "ARM_RESOURCE_MANAGER_AUDIENCE": endpoint,
        "ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST": f"{endpoint}/",
        "ARM_DISABLE_INSTANCE_DISCOVERY": "true",
        "REQUESTS_CA_BUNDLE": str(trust_bundle(state)),
        "SSL_CERT_FILE": str(trust_bundle(state)),
        "LAB_STATE": str(state.folder),
    }


def _login(state: State, principal: str) -> tuple[str, str]:
    """The client id and the secret of a service principal."""
    [client] = [found.client_id for found in state.load().azure.principals if found.name == principal]
    return client, state.secret_of(principal)


def credentials_file(state: State, principal: str) -> str:
    """What ``~/.azure/credentials`` of azure.azcollection must hold to reach this lab as one of its service principals."""
    settings = state.load()
    options = settings.azure
    client, secret = _login(state, principal)
    entries = {
        "subscription_id": options.subscription,
        "tenant": options.tenant,
        "client_id": client,
        "secret": secret,
        "cloud_environment": f"https://localhost:{settings.port}",
    }
    return "\n".join(["[default]", *(f"{name} = {value}" for name, value in entries.items())])


def client_environment(state: State, principal: str = "client") -> dict[str, str]:
    """This process's environment with every Azure variable replaced: a command in it reaches the lab and no real subscription."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "ARM_", "ANSIBLE_AZURE_"))}
    path = f"{Path(sys.executable).parent}:{kept.get('PATH', '')}"
    return kept | environment(state, principal) | {"PATH": path}


def show_journal(state: State, arguments: argparse.Namespace) -> None:
    for entry in journal.read(state.journal):
        if not arguments.writes or journal.is_write(entry):
            print(json.dumps(entry) if arguments.json else f"{entry['status']} {entry['method']:6} {entry['path']} [{entry['client'].split(' ')[0]}]")


def show_kubeconfig(state: State, name: str) -> None:
    found = state.kubeconfigs()
    if not name and len(found) == 1:
        name = next(iter(found))
    if name not in found:
        sys.exit(f"lab: choose one of the running clusters: {', '.join(sorted(found)) or '(none)'}")
    print(found[name])


def client_names(state: State) -> list[str]:
    """The clients that packets come from."""
    return sorted(path.name for path in state.clients.iterdir()) if state.clients.exists() else []


def run_as_client(state: State, name: str, words: list[str]) -> None:
    """Run a command in a client's network, with its resolver."""
    if name not in client_names(state):
        sys.exit(f"lab: choose one of the clients: {', '.join(client_names(state)) or '(none without packets)'}")
    environment = client_environment(state)
    # dig, curl and others may be in the lab's cache only.
    found = debian.environment()
    path = f"{environment['PATH']}:{found['PATH']}"
    become(clients.script(state.clients, name), ["run", *words], environment | found | {"PATH": path})


def inventory(state: State) -> dict[str, Any]:
    """The clients of both families as the group ``probes`` of an Ansible inventory: their interpreter is in their network."""
    hosts = {
        client.name: {
            "ansible_connection": "local",
            "ansible_python_interpreter": str(clients.interpreter(state.clients, client.name)),
            "ansible_pipelining": True,
            "probe_families": list(client.families),
        }
        for client in clients.INTERNET_CLIENTS
        if client.name in client_names(state)
    }
    return {"probes": {"hosts": hosts}}


def call(state: State, method: str, path: str, body: Any = None) -> Any:
    """A request to the running lab's own API, below ``/lab``."""
    answer = requests.request(
        method,
        f"https://localhost:{state.load().port}/lab/{path}",
        json=body,
        headers={"Authorization": f"Bearer {state.client_secret}"},
        verify=str(trust_bundle(state)),
        timeout=30,
    )
    if answer.status_code != 200:
        sys.exit(f"lab: {answer.json()['error']}")
    return answer.json()


def change_zone(state: State, action: str, zone: str) -> None:
    """Cut off all nodes of a zone at once, or restore them."""
    nodes = call(state, "POST", f"zones/{zone}", {"lost": action == "lose"})["nodes"]
    say(f"zone {zone}: {nodes} nodes {'lost' if action == 'lose' else 'back'}")


def change_links(state: State, action: str, subnet: str, service: str) -> None:
    """Let a service enter a subnet in a way of its own, or leave it."""
    links = call(state, "POST", "links", {"subnet": subnet, "service": service, "linked": action == "add"})["links"]
    say(f"{subnet}: {', '.join(links) or 'no resource navigation links'}")


def change_faults(state: State, arguments: argparse.Namespace) -> None:
    """Arm a fault, clear all, or list which are armed and which have struck."""
    match arguments.kind:
        case "list":
            found = call(state, "GET", "faults")
        case "clear":
            found = call(state, "DELETE", "faults")
        case _:
            fault = {name: getattr(arguments, name) for name in ("kind", "method", "path", "client", "at", "times")}
            found = call(state, "POST", "faults", fault)
    for fault in found["armed"]:
        say(
            "armed: {kind} at request {at} of {method} {path} by {client}, {times} times; {seen} seen".format(
                **fault | {"method": fault["method"] or "any"}
            )
        )
    say(f"struck: {', '.join(f'{kind} {count}' for kind, count in found['struck'].items()) or 'none'}")


def main(words: Sequence[str] | None = None) -> None:
    """Do one command: ``words`` as the shell would pass them, or those that this process got."""
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.add_argument("--state", type=Path, help="the lab's folder (default: LAB_STATE, else .cache/lab in the checkout)")
        return added

    starting = command("up", "start the lab in the background")
    starting.add_argument("--fresh", action="store_true", help="delete the lab's state first and start with an empty subscription")
    starting.add_argument("--no-kubernetes", action="store_true", help="clusters are resources only, without control planes and nodes")
    starting.add_argument("--no-packets", action="store_true", help="clusters have Node objects only; no pod runs, no client gets an answer")
    starting.add_argument("--watch", action="store_true", help="clients request every public entrance every 100 ms; the journal records the results")
    starting.add_argument("--any-version", action="store_true", help="also accept Kubernetes versions without binaries in the lab")
    starting.add_argument(
        "--refuse-ipv6-ranges", action="store_true", help="refuse IPv6 ranges in the request that makes a cluster dual-stack; Azure chooses them"
    )
    starting.add_argument(
        "--unregistered", action="append", default=[], metavar="NAMESPACE", help="start with this resource provider unregistered; repeatable"
    )
    starting.add_argument(
        "--quota",
        type=_quota,
        action="append",
        default=[],
        metavar="NAME=LIMIT",
        help=f"override a limit: {', '.join(QUOTAS)}, or a family of VM sizes",
    )
    starting.add_argument("--time-scale", type=float, default=0.02, help="seconds in the lab for one second of an operation in Azure (default 0.02)")
    starting.add_argument("--latency", type=float, default=0, help="seconds added to each request")
    command("down", "stop the lab; its state stays")
    command("status", "show whether the lab is running; exit 1 if it is not")
    logging_in = [
        command("env", 'print the environment of its clients: eval "$(python -m lab env)"'),
        command("credentials", "print the contents for ~/.azure/credentials, instead of that environment; set REQUESTS_CA_BUNDLE as well"),
    ]
    showing = command("journal", "print the requests that the lab received")
    showing.add_argument("--writes", action="store_true", help="only requests that may change something")
    showing.add_argument("--json", action="store_true", help="complete entries, one JSON document per line")
    access = command("kubeconfig", "print the path of an administrator's kubeconfig: kubectl --kubeconfig $(python -m lab kubeconfig)")
    access.add_argument("cluster", nargs="?", default="", help="its name; optional when one cluster runs")
    command("inventory", "print the clients as an Ansible inventory of probe hosts: ansible-playbook -i <(python -m lab inventory) …")
    becoming = command("as", "run a command as a client in the lab's network: python -m lab as ipv6-only curl http://…")
    becoming.add_argument("client")
    becoming.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    zones = command("zone", "cut off all nodes of an availability zone at once, or restore them")
    zones.add_argument("action", choices=("lose", "restore"))
    zones.add_argument("zone")
    linking = command("links", "put a service into a subnet by a resource navigation link, after which its network gets no IPv6, or take it out")
    linking.add_argument("action", choices=("add", "remove"))
    linking.add_argument("subnet", help="its id")
    linking.add_argument("--service", default="Microsoft.Cache/redis", help="the type that the link names (default Microsoft.Cache/redis)")
    failing = command("fault", "make the n-th matching request fail; 'list' shows the armed faults, 'clear' removes them")
    failing.formatter_class = argparse.RawDescriptionHelpFormatter
    failing.epilog = "kinds:\n" + "\n".join(f"  {kind:24} {text}" for kind, text in faults.KINDS.items())
    failing.add_argument("kind", choices=("list", "clear", *faults.KINDS), metavar="KIND")
    failing.add_argument("--at", type=int, default=1, metavar="N", help="the first matching request to hit (default 1)")
    failing.add_argument("--times", type=int, default=1, help="number of matching requests to hit in a row (default 1); for 'stale', of reads")
    failing.add_argument("--method", default="", help="GET, PUT, …; default: any method")
    failing.add_argument("--path", default="/subscriptions/*", help="a shell pattern of the request's path (default: /subscriptions/*)")
    failing.add_argument("--client", default="dualstack.aks/*", help="a shell pattern of the User-Agent (default: dualstack.aks/*)")
    running = command("run", "run a command against the lab, without any variable that could lead to a real Azure")
    for parser_of_command in (*logging_in, running):
        parser_of_command.add_argument(
            "--principal", choices=PRINCIPALS, default="client", help="'client' (the default) owns the subscription, 'reader' has the role Reader"
        )
    running.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    command("binaries", "get or build what clusters, nodes and their pods run (once, about 9 minutes)")
    command("serve", "run the lab in the foreground (what up starts)")
    arguments = parser.parse_args(words)
    state = State(arguments.state) if arguments.state else State.default()
    if arguments.command not in ("up", "down", "binaries") and not state.folder.exists():
        sys.exit(f"lab: no lab exists in {state.folder}; start one with: python -m lab up")
    match arguments.command:
        case "up":
            up(state, arguments)
        case "down":
            down(state)
        case "status":
            status(state)
        case "env":
            for name, value in environment(state, arguments.principal).items():
                print(f"export {name}={shlex.quote(value)}")
        case "credentials":
            print(credentials_file(state, arguments.principal))
        case "journal":
            show_journal(state, arguments)
        case "binaries":
            packets = isolation.is_possible()
            get_supplies(packets)
            if not packets:
                say("nodes need root on Linux: skipped the programs of nodes and pods")
        case "kubeconfig":
            show_kubeconfig(state, arguments.cluster)
        case "inventory":
            print(yaml.safe_dump(inventory(state)), end="")
        case "as":
            run_as_client(state, arguments.client, arguments.words)
        case "zone":
            change_zone(state, arguments.action, arguments.zone)
        case "links":
            change_links(state, arguments.action, arguments.subnet, arguments.service)
        case "fault":
            change_faults(state, arguments)
        case "run":
            become(arguments.words[0], arguments.words, client_environment(state, arguments.principal))
        case "serve":
            os.umask(0o077)
            sys.exit(run(state))


if __name__ == "__main__":
    with ending_with_its_reader():
        main()
