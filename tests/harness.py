"""A lab as its tests see it: what it stores, what it was asked, and commands that run as its clients."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import requests
import yaml

from lab.__main__ import client_environment
from lab.__main__ import down as stop
from lab.__main__ import inventory as inventory_of_clients
from lab.arm import journal
from lab.arm.azure import Azure
from lab.arm.store import Store
from lab.packets import clients, watching
from lab.state import CHECKOUT, State
from lab.supplies import binaries, debian

OURS = "dualstack.aks/"
#: the tags of site.yml where no cluster is behind the resources, so that there is nothing to put entrances in front of
AZURE_TAGS = "network,aks,registry,keyvault,dns"
#: what a run is given that is to do without the zones that are shared
WITHOUT_ZONES = ("-e", "dns_public_zone=", "-e", "dns_private_zone=")
#: variables of a stamp with a node in each zone and no more: a node takes processor time whether or not anything happens
THREE_NODES: dict[str, Any] = {
    "aks_node_pools": [{"name": "system", "mode": "System", "min_count": 3, "max_count": 5, "zones": ["1", "2", "3"]}],
}
#: how many labs may have nodes at a time: the nodes of three need more inotify instances than a user may have by default
LABS_WITH_NODES = 2
#: seconds after which a command counts as hanging: far more than any takes, because machines may be slow and busy
HANGING = 1200
#: seconds after which tests stop waiting for a result, for the same reason far more than any takes
ABSENT = 300
#: asks kubectl with the given words and returns its JSON
Kubectl = Callable[..., Any]

_FATAL = re.compile(r"^fatal: \[(?P<host>\S+)\]: FAILED! => ?\n(?P<result>(?:^[ \t].*\n|^\n(?=[ \t]))+)", re.MULTILINE)
_OUR_KINDS = "namespaces,configmaps,deployments,services,horizontalpodautoscalers,poddisruptionbudgets,networkpolicies"
#: what Azure draws, and times that it answers: no two runs have the same
DRAWN = {"etag", "eTag", "resourceGuid", "createdOn", "updatedOn", "creationDate", "systemData"} | {
    "lastUpdatedTime",
    "lastSkuUpdate",
    "createdDate",
    "modifiedDate",
    "quotaNextResetTime",
}
_VOLATILE = DRAWN | {"uid", "resourceVersion", "creationTimestamp", "generation"} | {"clusterIP", "clusterIPs", "nodePort", "replicas"}


@dataclass
class Run:
    """What a command printed and how it ended."""

    code: int
    output: str

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """Host -> ok, changed, failed, … of Ansible's recap."""
        rows = re.findall(r"^(\S+)\s+: (ok=.*)$", self.output, re.MULTILINE)
        return {host: {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", counts)} for host, counts in rows}

    @property
    def failures(self) -> dict[str, str]:
        """Host -> message, as Ansible prints the failure of a task."""
        return {found["host"]: str(yaml.safe_load(found["result"]).get("msg")) for found in _FATAL.finditer(self.output)}

    @property
    def changed(self) -> int:
        return sum(counts["changed"] for counts in self.recap.values())


@dataclass
class Outcome:
    """How one request of a load went."""

    began: float
    status: int
    error: str


def outcomes(load: subprocess.Popen[str]) -> list[Outcome]:
    """Wait for the end of a load."""
    printed, _ = load.communicate(timeout=HANGING)
    assert load.returncode == 0, printed
    return [Outcome(*found) for found in json.loads(printed)]


def until(reached: Callable[[], bool], evidence: Callable[[], str] = lambda: "the expected state was not reached", within: float = ABSENT) -> None:
    """Wait until ``reached`` is true, also where a client that it asks fails at first.

    ``evidence`` describes the state at the end; ``within`` is for what promises a time, in seconds.
    """
    deadline = time.monotonic() + within
    while True:
        asked, failure = time.monotonic(), ""
        try:
            if reached():
                return
        except AssertionError as error:
            failure = f"{error}\n"
        assert time.monotonic() < deadline, failure + evidence()
        # An expensive check must not slow down what it waits for.
        time.sleep(max(0.1, 2 * (time.monotonic() - asked)))


def is_ready(item: Any) -> bool:
    """Whether a pod or node is ready, and not going."""
    ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in item.get("status", {}).get("conditions", []))
    return ready and "deletionTimestamp" not in item["metadata"]


class Observer:
    """Reads a lab as another client than the collection's, and its journal."""

    def __init__(self, state: State, cluster: str = "aks-example-westeurope") -> None:
        self.state = state
        self.cluster = cluster
        self._session = requests.Session()

    @property
    def environment(self) -> dict[str, str]:
        return self.environment_of("client")

    def environment_of(self, principal: str) -> dict[str, str]:
        """What a program's environment needs to ask this lab as one of its service principals."""
        # Tests read what each task says; the callback that users of the checkout see has tests of its own.
        settings = {"ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_NOCOLOR": "1"}
        environment = client_environment(self.state, principal) | settings
        # With it Python writes each line at once, which a user's does not.
        environment.pop("PYTHONUNBUFFERED", None)
        return environment

    def entries(self, since: int = 0) -> list[dict[str, Any]]:
        return list(journal.read(self.state.journal))[since:]

    def watched(self, address: str, since: int = 0) -> list[dict[str, Any]]:
        """When the outcome changed of what the lab's own client asks of a public address every 100 ms."""
        return [entry for entry in self.entries(since) if entry["client"] == watching.CLIENT and address in entry["path"]]

    def await_answers(self, address: str) -> None:
        """Wait until the client that asks every 100 ms is answered, so that whatever it notes later has happened later: it notes answers in the
        order of its requests, of which some wait for seconds until they fail."""
        until(lambda: [entry["status"] for entry in self.watched(address)][-1:] == [200])

    def our_writes(self, since: int = 0) -> list[str]:
        """What our client sent that was meant to change something."""
        return [f"{entry['method']} {entry['path']}" for entry in self.entries(since) if entry["client"].startswith(OURS) and journal.is_write(entry)]

    @property
    def subscription(self) -> str:
        return f"/subscriptions/{self.environment['AZURE_SUBSCRIPTION_ID']}"

    def group(self, stamp: str = "westeurope") -> str:
        return f"{self.subscription}/resourceGroups/rg-example-{stamp}"

    def call(self, method: str, path: str, api_version: str, body: Any = None) -> requests.Response:
        environment = self.environment
        endpoint = environment["AZURE_CLOUD_ENVIRONMENT"]
        form = {
            "grant_type": "client_credentials",
            "client_id": environment["AZURE_CLIENT_ID"],
            "client_secret": environment["AZURE_SECRET"],
            "scope": f"{endpoint}/.default",
        }
        # One session: to read the authorities that are trusted takes longer than a request.
        ask = partial(self._session.request, timeout=30, verify=environment["REQUESTS_CA_BUNDLE"])
        token = ask("POST", f"{endpoint}/{environment['AZURE_TENANT']}/oauth2/v2.0/token", data=form).json()
        headers = {"Authorization": f"Bearer {token['access_token']}", "User-Agent": "another-client/1.0"}
        return ask(method, f"{endpoint}{path}", params={"api-version": api_version}, json=body, headers=headers)

    def put(self, path: str, api_version: str, body: Any, method: str = "PUT") -> dict[str, Any]:
        """Write as another client than the collection's, and wait until Azure is done with it."""
        answer = self.call(method, path, api_version, body)
        assert answer.status_code < 300, answer.text
        deadline = time.monotonic() + ABSENT
        while (found := self.get(path, api_version)).get("properties", {}).get("provisioningState", "Succeeded") != "Succeeded":
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        return found

    def get(self, path: str, api_version: str = "2025-05-01") -> dict[str, Any]:
        """A resource as a client reads it, {} when it is not there."""
        answer = self.call("GET", path, api_version)
        if answer.status_code == 404:
            return {}
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def assign_role(self, scope: str, role: str, principal: str) -> str:
        """Give a principal a role by its id, as another client does; the name of the assignment."""
        definition = f"{self.subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        properties = {"principalId": principal, "principalType": "ServicePrincipal", "roleDefinitionId": definition}
        # One role for each scope and principal: that names the assignment.
        name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope} {role} {principal}"))
        self.put(f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", "2022-04-01", {"properties": properties})
        return name

    def network(self, path: str, stamp: str = "westeurope") -> dict[str, Any]:
        return self.get(f"{self.group(stamp)}/providers/Microsoft.Network/{path}")

    @property
    def cluster_id(self) -> str:
        return f"{self.group()}/providers/Microsoft.ContainerService/managedClusters/aks-example-westeurope"

    def kubectl(self, *words: str, cluster: str = "") -> Any:
        """What kubectl prints as JSON, asked as the lab's own administrator."""
        return json.loads(self.kubectl_text(*words, "-o", "json", cluster=cluster))

    def kubectl_text(self, *words: str, cluster: str = "", given: str = "") -> str:
        """What kubectl prints, with ``given`` on its standard input."""
        command = [str(binaries.path_of("kubectl")), "--kubeconfig", str(self.state.kubeconfigs()[cluster or self.cluster]), *words]
        done = subprocess.run(command, input=given, capture_output=True, check=False, timeout=HANGING, text=True)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
        return done.stdout

    def apply(self, manifests: str) -> None:
        """Apply Kubernetes objects, given as YAML."""
        self.kubectl_text("apply", "-f", "-", given=manifests)

    def rollout(self, namespace: str, deployment: str) -> None:
        """Await a Deployment's pods."""
        self.kubectl_text("-n", namespace, "rollout", "status", f"deployment/{deployment}", f"--timeout={ABSENT}s")

    def curl(self, client: str, url: str, *options: str) -> Run:
        """``<HTTP status> <address>`` of who answered within 5 s."""
        return self.as_client(
            client, "curl", "--silent", "--max-time", "5", "--output", "/dev/null", "--write-out", "%{http_code} %{remote_ip}", *options, url
        )

    @property
    def namespaces(self) -> Path:
        """The folder of the lab's network namespaces, as the machine sees it."""
        return Path("/proc", self.state.first_process.read_text(), "root/run/netns")

    def namespace_of(self, pod: dict[str, Any]) -> str:
        """The network namespace of a pod, by its addresses."""
        wanted = {item["ip"] for item in pod["status"]["podIPs"]}
        for path in self.namespaces.glob("cni-*"):
            links = json.loads(self.within(path.name, "ip", "-json", "address").output)
            if wanted & {item["local"] for link in links for item in link["addr_info"]}:
                return path.name
        raise LookupError(f"no network namespace has {wanted}")

    def within(self, namespace: str, *words: str) -> Run:
        """What a program gets in one of the lab's network namespaces."""
        return self._with_found_programs(("nsenter", f"--net={self.namespaces / namespace}", *words))

    def _with_found_programs(self, words: tuple[str, ...]) -> Run:
        """Run what may be in the lab's cache only, as dig and conntrack may."""
        return _finished(words, CHECKOUT, self.environment | debian.environment())

    def as_client(self, name: str, *words: str) -> Run:
        """Run a command in a client's network, with its resolver."""
        return self._with_found_programs((str(clients.script(self.state.clients, name)), *words))

    def _our_objects(self, kinds: str) -> list[dict[str, Any]]:
        selector = "app.kubernetes.io/managed-by=dualstack.aks"
        found: list[dict[str, Any]] = self.kubectl("get", kinds, "--all-namespaces", "--selector", selector)["items"]
        return found

    def _has_observed_deployments(self) -> bool:
        """Whether the cluster's controller has written what it adds to each Deployment."""
        found = self._our_objects("deployments")
        return all(item.get("status", {}).get("observedGeneration") == item["metadata"]["generation"] for item in found)

    def end_state(self) -> dict[str, Any]:
        """Everything as Azure answers it, and our Kubernetes objects, without what differs between two runs of the same: addresses, ids, times."""
        until(self._has_observed_deployments)
        azure = Azure(Store(self.state.store), self.state.load().azure)
        # What a service computes is in an answer, whether or not somebody has written the answer back.
        resources = {key: azure.render(found) for key, found in sorted(azure.store.resources.items())}
        for key, body in resources.items():
            if re.search("/virtualmachinescalesets/[^/]+$", key):
                _drop_pools(body)
        objects = self._our_objects(_OUR_KINDS)
        named = {f"{item['kind']}/{item['metadata']['name']}": {key: value for key, value in item.items() if key != "status"} for item in objects}
        text = json.dumps(_lasting(resources | named))
        for service in self.kubectl("get", "services", "--all-namespaces")["items"]:
            # The cloud controller names what it makes after the Service's uid, and probes after its health check port.
            text = text.replace(f"a{service['metadata']['uid'].replace('-', '')}"[:32], service["metadata"]["name"])
            if port := service["spec"].get("healthCheckNodePort"):
                text = re.sub(rf"\b{port}\b", "0", text)
        for key, body in resources.items():
            if address := body.get("properties", {}).get("ipAddress"):
                text = re.sub(rf"(?<![\w:.]){re.escape(address)}(?![\w:.])", key.rpartition("/")[2], text)
        found: dict[str, Any] = _ordered(json.loads(text))
        return found


def _drop_pools(scale_set: dict[str, Any]) -> None:
    """Which pools a scale set's model has depends on the order in which the cloud controller sees Services. Packets go where its instances are."""
    for interface in scale_set["properties"]["virtualMachineProfile"]["networkProfile"]["networkInterfaceConfigurations"]:
        for configuration in interface["properties"]["ipConfigurations"]:
            configuration["properties"].pop("loadBalancerBackendAddressPools", None)


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lasting(item) for name, item in sorted(value.items()) if name not in _VOLATILE}
    return [_lasting(item) for item in value] if isinstance(value, list) else value


def _ordered(value: Any) -> Any:
    """Resources within another by id: as the subnets of a virtual network, they are in the order in which they were made."""
    if isinstance(value, dict):
        return {name: _ordered(item) for name, item in value.items()}
    if isinstance(value, list):
        items = [_ordered(item) for item in value]
        return sorted(items, key=lambda item: str(item["id"])) if all(isinstance(item, dict) and "id" in item for item in items) else items
    return value


def _finished(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Run:
    """What a command printed, and how it ended."""
    done = subprocess.run(
        words,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=HANGING,
        check=False,
    )
    return Run(done.returncode, done.stdout)


class Lab(Observer):
    """One running lab, with a copy of the sample inventories that tests may change.

    Without packets clusters have Node objects only, which is enough for what is declared, and faster.
    """

    def __init__(self, *options: str, packets: bool = False) -> None:
        self.packets = packets
        self._places: list[int] = []
        self.folder = Path(tempfile.mkdtemp(prefix="dsaks-"))
        super().__init__(State(self.folder / "lab"))
        self.inventories = self.folder / "inventories"
        self.reset_inventories()
        self.up(*options)

    def reset_inventories(self) -> None:
        """Copy the sample inventories anew."""
        shutil.rmtree(self.inventories, ignore_errors=True)
        shutil.copytree(CHECKOUT / "inventories", self.inventories)
        # Without packets no pod runs, and nothing rolls out.
        (self.inventories / "group_vars" / "regions" / "lab.yml").write_text(yaml.safe_dump({"ingress_await_rollout": self.packets}))

    def up(self, *options: str) -> None:
        # In a process of its own, so that a server that is killed is nobody's child here.
        words = [*options, *(() if self.packets else ("--no-packets",))]
        subprocess.run([sys.executable, "-m", "lab", "up", "--state", str(self.state.folder), *words], check=True, cwd=CHECKOUT, timeout=HANGING)

    def lab(self, *words: str) -> Run:
        """A command of the lab's own."""
        done = subprocess.run(
            [sys.executable, "-m", "lab", words[0], "--state", str(self.state.folder), *words[1:]],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=HANGING,
            check=False,
        )
        return Run(done.returncode, done.stdout)

    def load(self, client: str, host: str, seconds: float = 120, rate: float = 20) -> subprocess.Popen[str]:
        """Begin to ask a server at a steady rate, for so many seconds or until it is terminated; :func:`outcomes` has the results."""
        return self.popen(str(clients.interpreter(self.state.clients, client)), str(CHECKOUT / "tests" / "load.py"), host, str(rate), str(seconds))

    def start_as_client(self, client: str, *words: str) -> subprocess.Popen[str]:
        """Begin a command in a client's network; :meth:`end` ends it."""
        return self.popen(str(clients.script(self.state.clients, client)), *words)

    def end(self, process: subprocess.Popen[str]) -> None:
        """End a command that was begun, with what it started."""
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=HANGING)

    def down(self) -> None:
        stop(self.state)

    def close(self) -> None:
        self.down()
        shutil.rmtree(self.folder)
        for place in self._places:
            os.close(place)

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def popen(self, *words: str, principal: str = "client") -> subprocess.Popen[str]:
        """Start a command as a client of this lab."""
        return subprocess.Popen(
            words,
            cwd=self.folder,
            env=self.environment_of(principal),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str, principal: str = "client") -> Run:
        process = self.popen(*words, principal=principal)
        output, _ = process.communicate(timeout=HANGING)
        return Run(process.returncode, output)

    def shell(self, *commands: str) -> Run:
        """What commands print in a shell in the checkout that knows nothing of the lab but its folder."""
        known = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return _finished(("bash", "-e", "-c", "\n".join(commands)), CHECKOUT, known | {"LAB_STATE": str(self.state.folder)})

    def processes(self, words: str = "") -> list[str]:
        """Command lines of the running processes, or of those that mention ``words``."""
        lines = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        return [line for line in lines if words in line]

    def playbook(self, name: str, *arguments: str, inventory: str = "westeurope.yml") -> Run:
        """Run one of the collection's playbooks by its full name."""
        process = self.start_playbook(name, *arguments, inventory=inventory)
        try:
            output, _ = process.communicate(timeout=HANGING)
        except subprocess.TimeoutExpired as expired:
            self.kill(process)
            printed = (expired.output or b"").decode(errors="replace")
            raise AssertionError(f"{name}.yml did not end within {HANGING} s:\n{printed}\n{self.evidence()}") from expired
        return Run(process.returncode, output)

    def evidence(self) -> str:
        """What there is to see of the clusters and in the lab's log, for whoever reads of a failure."""
        questions = (("get", "nodes,pods,services", "--output=wide"), ("get", "events", "--sort-by=.lastTimestamp"))
        found = [
            self.kubectl_text(*words, "--all-namespaces", cluster=cluster)[-6000:] for cluster in self.state.kubeconfigs() for words in questions
        ]
        return "\n".join([self.state.log.read_text(errors="replace")[-4000:], *found])

    def await_turn(self, places: int = 1) -> None:
        """Take places of those that all tests of this user share, one for each stamp with nodes; they are free again when the process that has
        them ends."""
        while len(self._places) < places:
            for number in range(LABS_WITH_NODES):
                place = os.open(Path(tempfile.gettempdir(), f"dualstack-aks-lab-with-nodes-{os.getuid()}-{number}"), os.O_CREAT | os.O_RDWR)
                try:
                    fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    os.close(place)
                else:
                    self._places.append(place)
                    break
            else:
                time.sleep(1)

    def start_playbook(self, name: str, *arguments: str, inventory: str = "westeurope.yml") -> subprocess.Popen[str]:
        if self.packets:
            self.await_turn()
        sources = [str(self.inventories / inventory), *([str(self.probes)] if self.packets else [])]
        words = [word for source in sources for word in ("-i", source)]
        return self.popen("ansible-playbook", *words, f"dualstack.aks.{name}", *arguments)

    def kill(self, process: subprocess.Popen[str], named: str = "") -> None:
        """SIGKILL to ansible-playbook and to its workers, who are in sessions of their own; ``named`` is what their command names."""
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = path.read_bytes()
                if b"ansible-playbook" in words and (named or str(self.inventories)).encode() in words:
                    os.kill(int(path.parent.name), signal.SIGKILL)
        process.wait(timeout=HANGING)
        assert process.stdout is not None
        process.stdout.close()

    @property
    def probes(self) -> Path:
        """An inventory of the lab's clients, who ask the entrances."""
        path = self.folder / "probes.yml"
        path.write_text(yaml.safe_dump(inventory_of_clients(self.state)))
        return path

    def set(self, **variables: Any) -> None:
        """Variables of the stamp westeurope, beyond the sample's."""
        folder = self.inventories / "host_vars"
        folder.mkdir(exist_ok=True)
        (folder / "westeurope.yml").write_text(yaml.safe_dump(variables))

    def change(self, **variables: Any) -> None:
        """Add to what :meth:`set` has set."""
        path = self.inventories / "host_vars" / "westeurope.yml"
        self.set(**(yaml.safe_load(path.read_text()) if path.exists() else {}) | variables)

    @property
    def register(self) -> Path:
        """The address register of the sample inventories."""
        return self.inventories / "group_vars" / "regions" / "addresses.yml"

    def extra(self, name: str, value: Any) -> str:
        """A variable for ``-e``; ``{group}`` stands for the id of the stamp's resource group."""
        return json.dumps({name: value.replace("{group}", self.group()) if isinstance(value, str) else value})

    def deploy(self) -> None:
        """Put the demonstration's application, which has IPv4 only, into every cluster."""
        subprocess.run([sys.executable, "-m", "lab.demo", "deploy"], check=True, cwd=CHECKOUT, env=self.environment, timeout=HANGING)

    def build(self, *arguments: str, inventory: str = "westeurope.yml") -> Run:
        """Make what the stamps share, then the inventory's stamps; what the latter run printed."""
        for name, words in (("shared", ()), ("site", arguments)):
            run = self.playbook(name, *words, inventory=inventory)
            assert run.code == 0, run.output
        return run
