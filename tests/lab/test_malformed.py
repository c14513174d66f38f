"""Bodies that Azure takes, spoilt at each of their places: the answer is a refusal or a resource, never a fault of the lab."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab.arm.azure import Azure
from lab.arm.containerservice import types as containerservice
from lab.arm.errors import ArmError
from lab.arm.ids import parse

from . import test_rules as t
from .test_rules import API_VERSION, CALLER, CASES, Act, Put, at, named, refer, world

Body = dict[str, Any]

WRONG: tuple[Any, ...] = (None, "", 7, [], {}, [None], ["x"], [{}])


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def spoilt(body: Body) -> Iterator[Body]:
    """``body`` without each of its nodes, with each list item twice, and with a wrong value for each node."""
    for *path, last in list(places(body)):
        for change in ("drop", "twice", *WRONG):
            result = copy.deepcopy(body)
            holder: Any = result
            for key in path:
                holder = holder[key]
            if change == "drop":
                del holder[last]
            elif change != "twice":
                holder[last] = copy.deepcopy(change)
            elif isinstance(holder, list):
                holder.append(copy.deepcopy(holder[last]))
            else:
                continue
            yield result


CONNECTED = (Put(t.VAULT, t.vault()), Put(t.PRIVATE_ZONE, {"location": "global"}), Put(t.ENDPOINT, t.endpoint(t.VAULT)))
RICH_BALANCER = t.balancer(
    [t.FRONT, t.internal("10.10.1.9"), t.frontend("front6", publicIPAddress=t.IPV6)],
    pools=("back",),
    balancing_rules=(t.balancing("https"),),
    probes=[t.probe("http")],
    outboundRules=[t.outbound("out")],
    inboundNatRules=[named("ssh", frontendIPConfiguration=refer(f"{t.BALANCER}/frontendIPConfigurations/front"), protocol="Tcp", frontendPort=22)],
)
RICH_BALANCER["properties"]["frontendIPConfigurations"][1]["name"] = "inside"
SETTINGS = {"logs": [{"category": "kube-audit", "enabled": True}], "metrics": [{"category": "AllMetrics", "enabled": True}]}
WINDOW = {"schedule": {"weekly": {"dayOfWeek": "Sunday", "intervalWeeks": 1}}, "durationHours": 4, "startTime": "00:00", "utcOffset": "+00:00"}

#: what no rule is about, or what their cases have less of
WITHOUT_RULES: tuple[tuple[Put, tuple[Act, ...]], ...] = (
    (Put(t.BALANCER, RICH_BALANCER), ()),
    (Put(t.VNET, t.vnet(*t.VNET_SPACE, subnets=[{"name": "nodes", **t.subnet(t.NODE_PREFIXES, networkSecurityGroup=refer(t.NSG))}])), ()),
    (t.DELEGATED, ()),
    (Put(t.SCALE_SET, {"location": t.LOCATION, "sku": {"name": "Standard_D4ds_v5", "capacity": 2}, "tags": {"a": "b"}}), t.POOL_MEMBER),
    (
        Put(
            f"{t.SCALE_SET}/virtualMachines/0",
            t.tracked({"networkProfileConfiguration": {"networkInterfaceConfigurations": [t.MEMBER]}}),
        ),
        t.POOL_MEMBER,
    ),
    (Put(at(containerservice.MAINTENANCE, "aks", "default"), {"properties": {"maintenanceWindow": WINDOW}}), (t.GIVEN_CLUSTER,)),
    (Put(at("Microsoft.OperationalInsights/workspaces", "logs"), t.tracked({"sku": {"name": "PerGB2018"}, "retentionInDays": 30})), ()),
    (Put(at("Microsoft.Insights/diagnosticSettings", "logs", scope=t.VAULT), {"properties": SETTINGS}), CONNECTED),
    (Put(f"{t.VAULT}/secrets/secret", {"properties": {"value": "s", "attributes": {"enabled": True}}}), CONNECTED),
    (Put(t.GROUP, {"location": t.LOCATION, "tags": {"a": "b"}}), ()),
    (
        Put(
            t.CLUSTER,
            t.cluster(
                t.balancer_profile(outboundIPs={"publicIPs": [refer(t.IPV4), refer(t.IPV6)]}),
                pools=(t.pool(availabilityZones=["1"], nodeLabels={"a": "b"}, nodeTaints=["a=b:NoSchedule"], **t.scaled(1, 2)),),
                addonProfiles={"azurepolicy": {"enabled": True, "config": {"version": "v2"}}},
                identityProfile=t.kubelet(t.KUBELET),
                aadProfile={"managed": True, "enableAzureRBAC": True, "tenantID": t.OPTIONS.tenant},
                apiServerAccessProfile={"authorizedIPRanges": ["203.0.113.0/24"]},
                autoUpgradeProfile={"upgradeChannel": "stable"},
            ),
        ),
        (t.GIVEN_CLUSTER,),
    ),
)


def _fullest() -> Iterator[tuple[str, Body, tuple[Act, ...]]]:
    """Where a body goes, the body, and after what: without what another body of the type has all of, or takes long."""
    found = [*((case.good, case.given) for case in CASES.values()), *WITHOUT_RULES]
    puts = [(good, given, set(places(good.body))) for good, given in found if isinstance(good, Put) and len(json.dumps(good.body)) < 4000]
    for number, (good, given, own) in enumerate(puts):
        others = [theirs for other, (put, _, theirs) in enumerate(puts) if other != number and parse(put.path).type == parse(good.path).type]
        earlier = [theirs for put, _, theirs in puts[:number] if parse(put.path).type == parse(good.path).type]
        if own not in earlier and not any(own < theirs for theirs in others):
            yield good.path, good.body, given


TAKEN = list(_fullest())


async def answer(azure: Azure, path: str, body: Body, *, patch: bool) -> None:
    before = copy.deepcopy(azure.store.resources)
    azure.store.operations.clear()
    try:
        azure.write(path, body, API_VERSION, CALLER, patch=patch)
    except ArmError as error:
        assert error.status < 500
        return
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.gather(*others)
    assert [found.error for found in azure.store.operations.values() if found.error and found.error["code"] == "InternalServerError"] == []
    for resource in list(azure.store.resources.values()):
        azure.render(resource)
    azure.store.resources = before


@pytest.mark.parametrize(("path", "taken", "given"), TAKEN, ids=[path.rpartition("/providers/")[2] for path, _, _ in TAKEN])
def test_a_spoilt_body_is_refused_or_taken(path: str, taken: Body, given: tuple[Act, ...]) -> None:
    async def check() -> None:
        azure = await world(given)
        for body in spoilt(taken):
            for patch in (False, True) if azure.store.get(path) else (False,):
                await answer(azure, path, body, patch=patch)

    asyncio.run(check())
