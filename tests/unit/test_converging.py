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
from ansible_collections.dualstack.aks.plugins.plugin_utils._resource_id import type_of

GROUP = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv"
ASSIGNMENTS = "providers/Microsoft.Authorization/roleAssignments"
ZONE = f"{GROUP}/providers/Microsoft.Network/privateDnsZones/internal.example.org"
VNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v"
ROLES = "providers/Microsoft.Authorization/roleDefinitions"
READER, WRITER = "acdd72a7-3385-48ef-bd42-f606fba81ae7", "b24988ac-6180-42a0-ab88-20f7382dd24c"
PRINCIPAL = "0000000a-0000-4000-8000-00000000000a"

ISSUER = "https://oidc.prod-aks.azure.com/a/b/"
COLLECTIONS = (
    "/roleassignments",
    "/virtualnetworklinks",
    "/federatedidentitycredentials",
    "/diagnosticsettings",
    "/privatednszonegroups",
    "/virtualnetworkpeerings",
)

Body = dict[str, Any]


class Azure:
    """Resources by id, and what is asked. ``meanwhile`` is what others make just before the next write. ``assigns`` tells whether the credentials,
    which are ``login``'s, may assign roles."""

    def __init__(self, *live: Body, meanwhile: Body | None = None, login: str = "", assigns: bool = True) -> None:
        self.live, self.asked, self._meanwhile = {body["id"].lower(): body for body in live}, list[str](), meanwhile
        self._login, self._assigns = login, assigns

    def principal_id(self) -> str:
        return self._login

    def may(self, action: str, identifier: str) -> bool:
        assert (action, identifier) == ("Microsoft.Authorization/roleAssignments/write", VAULT)
        return self._assigns

    def get(self, identifier: str, _version: str) -> Body | None:
        self.asked.append(f"GET {identifier}")
        path = identifier.partition("?")[0].lower()
        if path.endswith(COLLECTIONS):
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


def credential(name: str, *audiences: str, subject: str = "system:serviceaccount:apps:web") -> Body:
    properties = {"issuer": ISSUER, "subject": subject, "audiences": list(audiences) or ["api://AzureADTokenExchange"]}
    return {
        "id": f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i/federatedIdentityCredentials/{name}",
        "properties": properties,
    }


def diagnostics(name: str, *categories: str, workspace: str = "w") -> Body:
    logs = [{"category": category, "enabled": True} for category in categories]
    properties = {"workspaceId": f"/subscriptions/s/{workspace}", "logs": logs, "metrics": []}
    return {"id": f"{VAULT}/providers/Microsoft.Insights/diagnosticSettings/{name}", "properties": properties}


def zone_group(name: str, *zones: str) -> Body:
    configs = [{"name": f"{name}-{zone}", "properties": {"privateDnsZoneId": f"{ZONE}-{zone}"}} for zone in zones]
    return {
        "id": f"{GROUP}/providers/Microsoft.Network/privateEndpoints/pe/privateDnsZoneGroups/{name}",
        "properties": {"privateDnsZoneConfigs": configs},
    }


def peering(name: str, remote: str = VNET) -> Body:
    return {
        "id": f"{GROUP}/providers/Microsoft.Network/virtualNetworks/hub/virtualNetworkPeerings/{name}",
        "properties": {"remoteVirtualNetwork": {"id": remote}},
    }


def resource(body: Body, resource_type: str, **options: Any) -> Resource:
    facts = known(resource_type)
    assert facts
    return Resource(body["id"].rpartition("/")[2], body["id"], facts, {"properties": body["properties"]}, **options)


def declared(body: Body, **options: Any) -> Resource:
    return resource(body, type_of(body["id"]), **options)


def run(azure: Azure, *resources: Resource, check: bool = False) -> Reconciler:
    reconciler = Reconciler(cast(ArmClient, azure), {found.handle: found for found in resources}, Options(check=check, stamp="westeurope"))
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
    "a federated credential": (credential("ours"), credential("theirs")),
    "a diagnostic setting": (diagnostics("ours", "audit", "guard"), diagnostics("theirs", "audit", "guard", "scheduler")),
    "a zone group": (zone_group("default", "a"), zone_group("deployedByPolicy", "b", "a")),
    "a peering": (peering("ours"), peering("theirs", VNET.upper())),
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
    ("wanted", "theirs"),
    [
        (credential("ours"), credential("other-audience", "api://other")),
        (credential("ours"), credential("other-subject", subject="system:serviceaccount:apps:worker")),
        (diagnostics("ours", "audit", "guard"), diagnostics("fewer-categories", "audit")),
        (diagnostics("ours", "audit"), diagnostics("other-workspace", "audit", workspace="x")),
        (zone_group("default", "a"), zone_group("other-zone", "b")),
        (peering("ours"), peering("other-network", ZONE)),
    ],
    ids=lambda body: str(body["id"].rpartition("/")[2]),
)
def test_another_one_of_its_kind_is_not(wanted: Body, theirs: Body) -> None:
    [outcome] = run(Azure(theirs), declared(wanted), check=True).outcomes.values()
    assert (outcome.id, outcome.action) == (wanted["id"], "create")


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


def locked(scope: str, level: str) -> Body:
    """What Azure answers to who lists the locks of the subscription."""
    listed = f"{GROUP.partition('/resourceGroups')[0]}/providers/Microsoft.Authorization/locks"
    return {"id": listed, "value": [{"id": f"{scope}/providers/Microsoft.Authorization/locks/keep", "properties": {"level": level}}]}


@pytest.mark.parametrize(
    ("lock", "check", "codes"),
    [
        (locked(GROUP, "ReadOnly"), True, ["ScopeLocked"]),
        (locked(VAULT.upper(), "ReadOnly"), True, ["ScopeLocked"]),
        (locked(f"{GROUP}-2", "ReadOnly"), True, []),
        (locked(GROUP, "CanNotDelete"), True, []),
        # Azure itself refuses a write.
        (locked(GROUP, "ReadOnly"), False, []),
    ],
)
def test_check_mode_knows_what_is_read_only(lock: Body, check: bool, codes: list[str]) -> None:
    found = run(Azure(lock), declared(OURS), check=check)
    assert [failure.code for failure in found.failures.values()] == codes


@pytest.mark.parametrize(
    ("login", "assigns", "check", "action"),
    [
        (PRINCIPAL, False, True, "none"),
        (PRINCIPAL, True, True, "create"),
        ("another", False, True, "create"),
        # Azure itself refuses a write.
        (PRINCIPAL, False, False, "create"),
    ],
)
def test_check_mode_leaves_out_a_role_for_credentials_that_make_no_run(login: str, assigns: bool, check: bool, action: str) -> None:
    [outcome] = run(Azure(login=login, assigns=assigns), declared(OURS), check=check).outcomes.values()
    assert outcome.action == action


@pytest.mark.parametrize("level", ["ReadOnly", "CanNotDelete"])
def test_a_lock_keeps_what_is_to_go(level: str) -> None:
    azure = Azure(credential("ours"), locked(GROUP, level))
    assert [failure.code for failure in run(azure, declared(credential("ours"), absent=True)).failures.values()] == ["ScopeLocked"]
    assert writes(azure) == []


@pytest.mark.parametrize("name", SAME)
def test_absent_leaves_it(name: str) -> None:
    wanted, theirs = SAME[name]
    azure = Azure(theirs)
    [outcome] = run(azure, declared(wanted, absent=True)).outcomes.values()
    assert outcome.action == "none"
    assert writes(azure) == []


OUR_MARK, NEXT_STAMP = ({"managed-by": "dualstack.aks", "dualstack-stamp": stamp} for stamp in ("westeurope", "northeurope"))
RECORD = f"{ZONE}/A/www.westeurope"


def marked(identifier: str, mark: dict[str, str] | None = None, *items: str) -> Body:
    """A group, a network with prefixes or a record with addresses, and whose it is."""
    if identifier == RECORD:
        properties = {"ttl": 300, "aRecords": [{"ipv4Address": item} for item in items]}
        return {"id": identifier, "properties": properties | ({"metadata": mark} if mark else {})}
    properties = {"addressSpace": {"addressPrefixes": list(items)}} if items else {}
    return {"id": identifier, "location": "westeurope", "properties": properties} | ({"tags": mark} if mark else {})


def ours(identifier: str, *items: str, **options: Any) -> Resource:
    body = marked(identifier, OUR_MARK, *items)
    facts = known(type_of(identifier))
    assert facts
    return Resource("it", body.pop("id"), facts, body, **options)


FOREIGN = [
    pytest.param(identifier, mark, id=f"{kind} of {whose}")
    for kind, identifier in (("network", VNET), ("record", RECORD))
    for whose, mark in (("nobody", None), ("another tool", {"managed-by": "terraform"}), ("the next stamp", NEXT_STAMP))
]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(("identifier", "mark"), FOREIGN)
def test_what_is_somebody_elses_is_refused_where_it_would_change(identifier: str, mark: dict[str, str] | None, check: bool) -> None:
    azure = Azure(marked(identifier, mark, "192.0.2.1"))
    found = run(azure, ours(identifier, "198.51.100.1"), check=check)
    [failure] = found.failures.values()
    assert failure.code == "NotOurs"
    assert "lack managed-by=dualstack.aks and dualstack-stamp=westeurope" in failure.message
    assert writes(azure) == []


@pytest.mark.parametrize(("identifier", "mark"), [*FOREIGN, pytest.param(GROUP, None, id="group of nobody")])
def test_what_is_somebody_elses_is_used_as_it_is(identifier: str, mark: dict[str, str] | None) -> None:
    items = [] if identifier == GROUP else ["192.0.2.1"]
    azure = Azure(marked(identifier, mark, *items))
    [outcome] = run(azure, ours(identifier, *items)).outcomes.values()
    assert (outcome.action, outcome.foreign) == ("none", True)
    assert writes(azure) == []


def test_what_is_handed_over_is_written() -> None:
    azure = Azure(marked(RECORD, None, "192.0.2.1"))
    [outcome] = run(azure, ours(RECORD, "198.51.100.1", take_over=True)).outcomes.values()
    assert outcome.action == "update"
    assert azure.live[RECORD.lower()]["properties"] == ours(RECORD, "198.51.100.1").body["properties"]


@pytest.mark.parametrize(("identifier", "mark"), [*FOREIGN, pytest.param(GROUP, None, id="group of nobody")])
def test_what_is_somebody_elses_is_never_deleted(identifier: str, mark: dict[str, str] | None) -> None:
    azure = Azure(marked(identifier, mark))
    [outcome] = run(azure, ours(identifier, absent=True, take_over=True)).outcomes.values()
    assert (outcome.action, outcome.foreign) == ("none", True)
    assert writes(azure) == []


def test_what_is_ours_is_deleted() -> None:
    azure = Azure(marked(RECORD, {name.title(): value for name, value in OUR_MARK.items()}))
    [outcome] = run(azure, ours(RECORD, absent=True)).outcomes.values()
    assert outcome.action == "delete"
