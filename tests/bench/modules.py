"""What a stamp's resources cost with our engine and with azure.azcollection's modules: create, no-op, check, and check of an empty subscription.

playbooks/ours.yml and playbooks/azcollection.yml declare the same resources, each against a lab of its own in which Azure takes no time. Both
have made the same when the two labs hold the same ids, and our engine finds nothing to change in the modules' lab.

make bench
"""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from lab.arm.store import Store
from tests.bench.measuring import Measured, alternate, measured, ratios, spread, target
from tests.harness import Lab
from tests.readers.conftest import Ansible

PLAYBOOKS = Path(__file__).parent / "playbooks"
ROUNDS = 3
#: how often our side does nothing in a round
REPEATS = 5
LEAST, RESOURCES = 60, 25


@dataclass(frozen=True)
class Cost:
    """One run: what it took, and what it asked Azure."""

    measured: Measured
    #: requests to Resource Manager, writes among them, and tokens
    requests: int
    writes: int
    tokens: int

    @property
    def failed(self) -> int:
        return sum(counts["failed"] + counts["ignored"] for counts in self.measured.run.recap.values())


class Side:
    """One way to make the resources, with a lab of its own."""

    def __init__(self, name: str, lab: Lab, environment: dict[str, str], words: list[str], repeats: int = 1) -> None:
        self.name, self.lab, self._environment, self._words = name, lab, environment | {"ANSIBLE_PIPELINING": "1"}, words
        self._repeats = repeats

    def run(self, *options: str) -> Cost:
        before = len(self.lab.entries())
        found = measured([*self._words, *options], self.lab.folder, self._environment)
        if found.run.code:
            sys.exit(f"{self.name}: {found.run.output}")
        entries = self.lab.entries(before)
        # Some of the modules begin a path with two slashes.
        asked = [entry for entry in entries if entry["path"].lstrip("/").lower().startswith("subscriptions")]
        writes = sum(entry["method"] in ("PUT", "PATCH", "DELETE") for entry in asked)
        return Cost(found, len(asked), writes, sum(entry["path"].endswith("/oauth2/v2.0/token") for entry in entries))

    def unchanged(self, *options: str) -> Cost:
        """A run that has nothing to do."""
        found = self.run(*options)
        if found.measured.run.changed or found.failed:
            sys.exit(f"{self.name} {' '.join(options)}: something changed or failed:\n{found.measured.run.output}")
        return found

    def typical(self, *options: str) -> Cost:
        """The run of median time among several without changes: background load can double the time of a short run."""
        costs = sorted((self.unchanged(*options) for _ in range(self._repeats)), key=lambda cost: cost.measured.seconds)
        return costs[len(costs) // 2]


def sides(ours: Lab, theirs: Lab) -> tuple[Side, Side]:
    client = Ansible(theirs)
    virtualenv = Path(__file__).parents[2] / client.virtualenv / "bin" / "ansible-playbook"
    quiet = {"ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_NOCOLOR": "1"}
    return (
        Side("ours", ours, ours.environment, ["ansible-playbook", "-i", "localhost,", str(PLAYBOOKS / "ours.yml")], REPEATS),
        Side("azcollection", theirs, client.environment | quiet, [str(virtualenv), "-i", "hosts.yml", str(PLAYBOOKS / "azcollection.yml")]),
    )


def line(what: str, side: Side, costs: list[Cost]) -> str:
    seconds, cpu, memory = ([getattr(cost.measured, name) for cost in costs] for name in ("seconds", "cpu", "memory"))
    last = costs[-1]
    failed = f"  {last.failed} of {RESOURCES} fail" if last.failed else ""
    return (
        f"{what:12} {side.name:14} {spread(seconds, 2):>22} {spread(cpu, 2):>22} {spread(memory, 0):>15} {last.requests:>9} {last.writes:>7} "
        f"{last.tokens:>7}{failed}"
    )


def main() -> None:
    options = ("--no-kubernetes", "--time-scale", "0.001")
    found: list[tuple[str, list[list[Cost]]]] = []
    print(f"modules: {RESOURCES} resources, {ROUNDS} rounds (about 9 minutes)", flush=True)

    def pair(what: str, rounds: int, *words: str, unchanged: bool) -> list[list[Cost]]:
        results = alternate(rounds, *((lambda side=side: side.typical(*words) if unchanged else side.run(*words)) for side in both))
        for side, costs in zip(both, results, strict=True):
            print(line(what, side, costs), flush=True)
        for name in ("seconds", "cpu"):
            values = ratios(*([getattr(cost.measured, name) for cost in costs] for costs in reversed(results)))
            print(f"{'':12} {'azcollection/ours':17} {name}: {spread(values, 1)}", flush=True)
        found.append((what, results))
        return results

    print(f"{'run':12} {'side':14} {'seconds':>22} {'CPU seconds':>22} {'MiB':>15} {'requests':>9} {'writes':>7} {'tokens':>7}")
    with Lab(*options) as ours, Lab(*options) as theirs:
        both = sides(ours, theirs)
        pair("empty, check", 1, "--check", unchanged=False)
        pair("create", 1, unchanged=False)
        stored = [set(Store(side.lab.state.store).snapshot()) for side in both]
        if stored[0] != stored[1]:
            sys.exit(f"modules: the two made different things: {sorted(stored[0] ^ stored[1])}")
        other = Side("ours in azcollection's lab", theirs, theirs.environment, ["ansible-playbook", "-i", "localhost,", str(PLAYBOOKS / "ours.yml")])
        other.unchanged("--check")
        print(f"modules: both labs hold the same {len(stored[0])} ids, and our engine finds nothing to change in azcollection's", flush=True)
        nothing = pair("no-op", ROUNDS, unchanged=True)
        # In check mode azure_rm_resource is skipped and returns nothing, and the role assignment fails for want of the identity.
        pair("check", 1, "--check", unchanged=False)
    times = ratios(*([cost.measured.seconds for cost in costs] for costs in reversed(nothing)))
    asked = max(cost.requests for cost in nothing[0])
    target("modules: azcollection's no-op of our time", statistics.median(times), LEAST, 1, at_least=True)
    target("modules: requests of our no-op, a GET for each resource", asked, RESOURCES, 0)
    target("modules: tokens of our one task", max(cost.tokens for cost in nothing[0]), 1, 0)


if __name__ == "__main__":
    main()
