"""What site.yml costs when there is nothing to do, against as many tasks that do nothing: one stamp with its cluster and entrances, no packets.

The other side is a playbook of ansible.builtin.ping, one task for each that site.yml runs to its end (the recap's ok), on the same inventory with
the same settings.

make bench
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.measuring import Measured, alternate, measured, ratios, spread, target
from tests.harness import OURS, Lab

ROUNDS = 5
MOST = 2.5
STAMP = "westeurope"


def main() -> None:
    with Lab() as lab:
        print("noop: building a stamp (about 1 minute)", flush=True)
        lab.build()

        def run(playbook: str) -> Measured:
            done = measured(["ansible-playbook", "-i", str(lab.inventories / f"{STAMP}.yml"), playbook], lab.folder, lab.environment)
            if done.run.code or done.run.changed:
                sys.exit(done.run.output)
            return done

        tasks = run("dualstack.aks.site").run.recap[STAMP]["ok"]
        pings = lab.folder / "pings.yml"
        settings = {"ansible_python_interpreter": "{{ ansible_playbook_python }}", "ansible_pipelining": True}
        play = {"hosts": "regions", "connection": "local", "gather_facts": False, "vars": settings, "tasks": [{"ansible.builtin.ping": {}}] * tasks}
        pings.write_text(yaml.safe_dump([play]))
        if run(str(pings)).run.recap[STAMP]["ok"] != tasks:
            sys.exit("noop: the two sides do not run the same number of tasks")
        before = len(lab.entries())
        run("dualstack.aks.site")
        requests = sum(entry["client"].startswith(OURS) for entry in lab.entries(before))
        sites, others = alternate(ROUNDS, lambda: run("dualstack.aks.site"), lambda: run(str(pings)))
    print(f"noop: {ROUNDS} rounds, {tasks} tasks on each side, {requests} requests to Azure by site.yml")
    print(f"{'':12} {'seconds':>20} {'CPU seconds':>20} {'MiB':>16}")
    for name, found in (("site.yml", sites), ("pings", others)):
        columns = spread([it.seconds for it in found], 2), spread([it.cpu for it in found], 2), spread([it.memory for it in found], 0)
        print(f"{name:12} {columns[0]:>20} {columns[1]:>20} {columns[2]:>16}")
    times = ratios([it.seconds for it in sites], [it.seconds for it in others])
    cpu = ratios([it.cpu for it in sites], [it.cpu for it in others])
    print(f"{'ratio':12} {spread(times, 2):>20} {spread(cpu, 2):>20}")
    target("noop: site.yml of the pings' time", statistics.median(times), MOST)


if __name__ == "__main__":
    main()
