"""What is there under another name and cannot be there twice: it is taken for what is declared."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import ArmClient
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.errors import ArmFailure
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.graph import Resource
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.options import Options
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.reconcile import Reconciler
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.types import known

GROUP = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv"
ASSIGNMENTS = "providers/Microsoft.Authorization/roleAssignments"
ZONE = f"{GROUP}/providers/Microsoft.Network/privateDnsZones/internal.example.org"
VNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v"
ROLES = "providers/Microsoft.Authorization/roleDefinitions"
READER, WRITER = "acdd72a7-3385-48ef-bd42-f606fba81ae7", "b24988ac-6180-42a0-ab88-20f7382dd24c"
PRINCIPAL = "0000000a-0000-4000-8000-00000000000a"

Body = dict[str, Any]


class Azure:
    """Resources by id, and what is asked. ``meanwhile`` is what others make just before the next write."""

    def __init__(self, *live: Body, meanwhile: Body | None = None) -> None:
        self.live, self.asked, self._meanwhile = {body["id"].lower(): body for body in live}, list[str](), meanwhile

    def get(self, identifier: str, _version: str) -> Body | None:
        self.asked.append(f"GET {identifier}")
        path = identifier.partition("?")[0].lower()
        if path.endswith(("/roleassignments", "/virtualnetworklinks")):
            scope = path.removesuffix(f"/{ASSIGNMENTS.lower()}")
            return {"value": [body for key, body in self.live.items() if key.startswith(path) or scope.startswith(key.partition("/providers/")[0])]}
        return self.live.get(path)

    def put(self, identifier: str, _version: str, body: Body, _etag: str = "") -> Any:
        self.asked.append(f"PUT {identifier}")
        if self._meanwhile:
            self.live[self._meanwhile["id"].lower()] = self._meanwhile
            raise ArmFailure(409, "RoleAssignmentExists", "The role assignment already exists.")
        self.live[identifier.lower()] = {"id": identifier, **body}
        return SimpleNamespace(http_response=SimpleNamespace(json=lambda: self.live[identifier.lower()]))

    def delete(self, identifier: str, _version: str) -> Any:
        self.asked.append(f"DELETE {identifier}")
        del self.live[identifier.lower()]

    def settle(self, _identifier: str, _version: str, live: Body, *_arguments: Any) -> Body:
        return live

    def wait(self, *_arguments: Any) -> None:
        return None


def assignment(scope: str, name: str, principal: str = PRINCIPAL, role: str = READER) -> Body:
    properties = {
        "principalId": principal,
        "principalType": "ServicePrincipal",
        "roleDefinitionId": f"{GROUP.partition('/resource')[0]}/{ROLES}/{role}",
    }
    return {"id": f"{scope}/{ASSIGNMENTS}/{name}", "properties": properties}


def link(name: str, vnet: str = VNET, *, registers: bool = False) -> Body:
    return {"id": f"{ZONE}/virtualNetworkLinks/{name}", "properties": {"registrationEnabled": registers, "virtualNetwork": {"id": vnet}}}


def resource(body: Body, resource_type: str, **options: Any) -> Resource:
    facts = known(resource_type)
    assert facts
    return Resource(body["id"].rpartition("/")[2], body["id"], facts, {"properties": body["properties"]}, **options)


def declared(body: Body, **options: Any) -> Resource:
    kind = "Microsoft.Authorization/roleAssignments" if ASSIGNMENTS in body["id"] else "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
    return resource(body, kind, **options)


def run(azure: Azure, *resources: Resource, check: bool = False) -> Reconciler:
    reconciler = Reconciler(cast(ArmClient, azure), {found.handle: found for found in resources}, Options(check=check))
    reconciler.run()
    return reconciler


def writes(azure: Azure) -> list[str]:
    return [asked for asked in azure.asked if not asked.startswith("GET")]


OURS = assignment(VAULT, "ours")
#: what is declared, and the same as others made it
SAME: dict[str, tuple[Body, Body]] = {
    "an assignment": (OURS, assignment(VAULT, "theirs")),
    "spelt otherwise": (OURS, assignment(VAULT.upper(), "theirs", PRINCIPAL.upper())),
    "a role of the tenant": (OURS, {**assignment(VAULT, "t"), "properties": {"principalId": PRINCIPAL, "roleDefinitionId": f"/{ROLES}/{READER}"}}),
    "a link": (link("link-westeurope"), link("hub", VNET.upper(), registers=True)),
}


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("name", SAME)
def test_it_is_taken_for_what_is_declared(name: str, check: bool) -> None:
    wanted, theirs = SAME[name]
    azure = Azure(theirs)
    found = run(azure, declared(wanted), check=check)
    [outcome] = found.outcomes.values()
    assert (outcome.id, outcome.action, outcome.body, found.failures) == (theirs["id"], "none", theirs, {})
    assert writes(azure) == []


@pytest.mark.parametrize(
    "theirs",
    [
        assignment(GROUP, "above"),
        assignment(f"{VAULT}/secrets/s", "below"),
        assignment(VAULT, "another-principal", PRINCIPAL.replace("a", "b")),
        assignment(VAULT, "another-role", role=WRITER),
    ],
    ids=lambda body: str(body["id"].rpartition("/")[2]),
)
@pytest.mark.parametrize("check", [False, True])
def test_another_one_is_not(theirs: Body, check: bool) -> None:
    azure = Azure(theirs)
    [outcome] = run(azure, declared(OURS), check=check).outcomes.values()
    assert (outcome.id, outcome.action) == (OURS["id"], "create")
    assert writes(azure) == ([] if check else [f"PUT {OURS['id']}"])


def test_nobody_lists_where_everything_is_there() -> None:
    azure = Azure(OURS, link("l"))
    assert [outcome.action for outcome in run(azure, declared(OURS), declared(link("l"))).outcomes.values()] == ["none", "none"]
    assert sorted(azure.asked) == sorted([f"GET {OURS['id']}", f"GET {link('l')['id']}"])


def test_nobody_lists_in_what_the_run_makes() -> None:
    facts = known("Microsoft.KeyVault/vaults")
    assert facts
    azure = Azure()
    found = run(azure, Resource("vault", VAULT, facts, {"location": "westeurope"}), declared(OURS, needs={"vault"}))
    assert {handle: outcome.action for handle, outcome in found.outcomes.items()} == {"vault": "create", "ours": "create"}
    assert not any(asked.endswith("atScope()") for asked in azure.asked)


def test_nobody_lists_for_a_principal_that_is_not_there_yet() -> None:
    azure, body = Azure(), assignment(VAULT, "ours", "${identity.properties.principalId}")
    identity = resource({"id": f"{GROUP}/identity", "properties": {}}, "Microsoft.ManagedIdentity/userAssignedIdentities")
    assert [outcome.action for outcome in run(azure, identity, declared(body, needs={"identity"}), check=True).outcomes.values()] == ["create"] * 2
    assert not any(asked.endswith("atScope()") for asked in azure.asked)


def test_one_that_others_make_in_the_same_moment() -> None:
    theirs = assignment(VAULT, "theirs")
    found = run(Azure(meanwhile=theirs), declared(OURS))
    assert [(outcome.id, outcome.action) for outcome in found.outcomes.values()] == [(theirs["id"], "none")]


def test_a_conflict_with_nothing_of_the_kind_is_a_failure() -> None:
    found = run(Azure(meanwhile=assignment(VAULT, "theirs", role=WRITER)), declared(OURS))
    assert [failure.code for failure in found.failures.values()] == ["RoleAssignmentExists"]


def test_absent_leaves_it() -> None:
    azure = Azure(assignment(VAULT, "theirs"))
    [outcome] = run(azure, declared(OURS, absent=True)).outcomes.values()
    assert outcome.action == "none"
    assert writes(azure) == []
