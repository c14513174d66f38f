"""What to do with the demonstration's stamps: the commands that ``make demo`` ends with, and that a test runs as they are printed."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from ..state import CHECKOUT
from ..supplies import binaries

INVENTORY = "examples/demo"
STAMP = "westeurope"
_LAB = ".venv/bin/python -m lab"
_PLAYBOOK = f"ansible-playbook -i {INVENTORY} dualstack.aks"
#: where make puts the Azure CLI for tests
_AZ = ".venv-az/bin/az"


@dataclass(frozen=True)
class Step:
    """Commands for a shell in the checkout, one after the other. Those that need ``az`` are apart: not every machine has it."""

    title: str
    commands: tuple[str, ...]
    az_commands: tuple[str, ...] = ()


def steps() -> list[Step]:
    """The steps, with the programs that this machine has."""
    return [
        Step("verify every stamp in each family", (f"{_LAB} run {_PLAYBOOK}.verify",)),
        Step(
            "switch IPv6 off and on while clients watch",
            tuple(f"{_LAB}.demo watch {_PLAYBOOK}.toggle_ipv6 -e dualstack_ipv6={state}" for state in ("disabled", "enabled")),
        ),
        Step("plan: see which prefix each stamp has", (f"{_LAB} run {_PLAYBOOK}.plan",)),
        Step(
            "look around with kubectl and az",
            (f'{_kubectl()} --kubeconfig "$({_LAB} kubeconfig aks-example-{STAMP})" get nodes,services --all-namespaces',),
            tuple(_az_commands()),
        ),
        Step("destroy a stamp", (f"{_LAB} run {_PLAYBOOK}.destroy --limit {STAMP} -e destroy_confirm={STAMP}",)),
    ]


def _kubectl() -> str:
    return "kubectl" if shutil.which("kubectl") else shlex.quote(str(binaries.path_of("kubectl")))


def _az_commands() -> Iterator[str]:
    """The login's secret is in the environment, so that no history keeps it."""
    az = _AZ if (CHECKOUT / _AZ).exists() or not shutil.which("az") else "az"
    if az == _AZ and not (CHECKOUT / _AZ).exists():
        yield "make .venv-az/.ready"
    # In this shell alone: az keeps what it knows in the lab's folder, and everything in it reaches the lab instead of Azure.
    yield f'eval "$({_LAB} env)"'
    yield f"{az} cloud set --name Lab"
    login = '--username "$AZURE_CLIENT_ID" --password "$AZURE_CLIENT_SECRET" --tenant "$AZURE_TENANT_ID"'
    yield f"{az} login --service-principal {login} --output none"
    yield f"{az} network public-ip list --output table"


def lines() -> list[str]:
    """The steps as they are printed."""
    found = ["The next five steps, each to be copied into a shell in this folder:"]
    for number, step in enumerate(steps(), 1):
        found += ["", f"{number}. {step.title}", *(f"    {command}" for command in (*step.commands, *step.az_commands))]
    return [*found, "", "The lab stays up until: make clean"]
