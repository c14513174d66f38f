"""What a run says and refuses before anything is there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.types import known
from ansible_collections.dualstack.aks.plugins.plugin_utils._resource_id import type_of
from tests import fleet
from tests.harness import WITHOUT_ZONES, Lab


@pytest.fixture(scope="module")
def subscription() -> Iterator[Lab]:
    with Lab("--no-kubernetes") as lab:
        yield lab


@pytest.fixture
def arm(subscription: Lab) -> Iterator[Lab]:
    """A subscription shared by tests that write nothing to it. Each test gets a fresh copy of the sample inventories."""
    subscription.reset_inventories()
    yield subscription
    assert subscription.our_writes() == []


def test_check_mode_reads_as_a_bill_of_materials(arm: Lab) -> None:
    # Nobody is asked in check mode; without hosts that could be, no record would be published.
    probes = arm.folder / "somebody.yml"
    probes.write_text(yaml.safe_dump({"probes": {"hosts": {"somebody": {"probe_families": ["ipv4", "ipv6"]}}}}))
    run = arm.playbook("site", "--check", "--diff", "-i", str(probes))
    assert run.code == 0, run.output
    for expected in (
        "virtualNetworks/vnet-example-westeurope (absent)",
        "managedClusters/aks-example-westeurope (absent)",
        "publicIPAddressVersion: IPv6",
        "would create Service entrance-ipv6",
        "would create Deployment entrance-ipv4",
        "+  - ipv6Address: (known after apply)",
        "Not created yet: the public and the private zone",
    ):
        assert expected in run.output


#: what is wrong -> variables of the stamp, what the message must hold
BAD_INPUT: dict[str, tuple[dict[str, Any], list[str]]] = {
    "several things at once": (
        {
            "aks_network_policy": "calico",
            "aks_node_pools": [{"name": "System", "min_count": 2, "max_count": 5, "zones": ["1", "2"]}],
            "aks_tier": "Gold",
        },
        ["calico is not supported with dual-stack", "aks_node_pools.System", "aks_tier", "Gold"],
    ),
    "values that do not fit, beside others": (
        {"ingress_mode": "nat65", "network_vnet_name": "{{ nowhere }}", "aks_network_policy": "calico", "keyvault_name": "1"},
        ["'nat65' is not one of nat64, nat46, split, native", "'nowhere' is undefined", "calico is not supported", "keyvault_name: 1 [vault_name]"],
    ),
    "an unregistered subnet": (
        {
            "dualstack_subnets": {
                "nodes": {"ipv4_prefix_length": 22, "purpose": "nodes"},
                "endpoints": {"ipv4_prefix_length": 26, "families": ["IPv4"]},
                "new": {"ipv4_prefix_length": 24},
            }
        },
        ["STAMP: the register lacks new", "plan_write=true", "new: {ipv4:"],
    ),
    "subnets that are not for nodes": (
        {
            "dualstack_subnets": {
                "nodes": {"ipv4_prefix_length": 22, "purpose": "application_gateway"},
                "endpoints": {"ipv4_prefix_length": 26, "purpose": "container_instances"},
                "AzureBastionSubnet": {"ipv4_prefix_length": 27, "families": ["IPv4", "IPv6"]},
                "fw": {"ipv4_prefix_length": 26, "purpose": "firewall"},
                "GatewaySubnet": {"ipv4_prefix_length": 27, "delegation": "Microsoft.Web/serverFarms"},
            }
        },
        [
            "application_gateway, but the nodes are in this subnet [node_subnet_purpose]",
            "keyvault_subnet_id:",
            "registry_subnet_id:",
            "is delegated to Microsoft.ContainerInstance/containerGroups [endpoint_subnet_purpose]",
            "/27 for bastion [subnet_purpose_size]",
            "IPv6 for bastion, which supports only IPv4",
            "firewall needs the name AzureFirewallSubnet",
            "Microsoft.Web/serverFarms for a subnet of the purpose virtual_network_gateway",
        ],
    ),
    "an unknown location": ({"dualstack_location": "atlantis"}, ["atlantis is not a region", "westeurope"]),
    "a wrong subscription": (
        {"dualstack_subscription_id": "00000000-0000-4000-8000-00000000dead"},
        ["00000000-0000-4000-8000-00000000dead", "not a subscription that the credentials can read"],
    ),
    "a controller locked out": (
        {"aks_controller_address": "203.0.113.200", "aks_api_server_authorized_ip_ranges": ["198.51.100.0/24"]},
        ["203.0.113.200", "aks_api_server_authorized_ip_ranges"],
    ),
    "an IPv6 range for the API server": ({"aks_api_server_authorized_ip_ranges": ["2001:db8::/32"]}, ["use IPv4 only"]),
    "too few cores": (
        {
            "aks_node_pools": [
                {"name": "big", "mode": "System", "vm_size": "Standard_D96ds_v5", "min_count": 20, "max_count": 30, "zones": ["1", "2"]}
            ]
        },
        ["1920 cores", "of 500"],
    ),
    "pools that their sizes do not fit": (
        {
            "aks_node_pools": [
                {"name": "system", "mode": "System", "vm_size": "Standard_B1s", "min_count": 2, "max_count": 3, "zones": ["1", "2"]},
                {"name": "none", "vm_size": "Standard_D4ds_v9", "min_count": 2, "max_count": 3, "zones": ["1", "2"]},
                {"name": "zones", "vm_size": "Standard_D4as_v6", "min_count": 2, "max_count": 3, "zones": ["1", "2"]},
                {"name": "disks", "vm_size": "Standard_D2ds_v5", "os_disk_type": "Ephemeral", "min_count": 2, "max_count": 3, "zones": ["1", "2"]},
                {"name": "win", "os_type": "Windows", "os_sku": "Windows2019", "min_count": 2, "max_count": 3, "zones": ["1", "2"]},
            ]
        },
        [
            "Standard_B1s has 1 vCPU and 1 GB for a System pool",
            "westeurope does not offer Standard_D4ds_v9",
            "Standard_D4as_v6 is in the zones 2, 3 of westeurope, but not in 1",
            "Ephemeral, but Standard_D2ds_v5 has room for 75 of 128 GiB",
            "AKS has no Windows2019 with Kubernetes 1.36",
            "Windows with network dataplane cilium",
        ],
    ),
    "a port that the nodes' group closes to clients": (
        {
            "ingress_streams": [{"name": "sql", "port": 5432, "service": "sql", "namespace": "apps", "service_port": 5432}],
            "network_security_rules": [{"name": "no-sql", "priority": 300, "access": "Deny", "destination_ports": "5432"}],
        },
        ["ingress_streams[0]: the rule no-sql of the nodes' network security group closes TCP port 5432 to every IPv4 and IPv6 client"],
    ),
    "a trusted service tag that does not exist": (
        {"ingress_trusted_proxies": ["AzureFrontDoor"]},
        ["ingress_trusted_proxies: no service tag AzureFrontDoor has prefixes"],
    ),
    "a client's address in a header that is not looked into": (
        {
            "ingress_trusted_proxies": ["203.0.113.0/24"],
            "ingress_tls_passthrough": [{"host": "raw.example.org", "service": "web", "namespace": "apps", "port": 8443}],
        },
        ["ingress_real_ip_header: X-Forwarded-For cannot be read from TLS", "set ingress_real_ip_header to proxy_protocol"],
    ),
    "an imported image without a digest": ({"registry_images": ["docker.io/library/nginx:1"]}, ["docker.io/library/nginx:1: not pinned by digest"]),
    "a manifest that no API server takes": ({"ingress_node_selector": {"zone": 1}}, ["Deployment entrance-ipv6", "1 is not of type 'string'"]),
    "an image without a digest": ({"ingress_image": "nginx:latest"}, ["nginx:latest is not pinned by digest"]),
}


#: what is wrong with one stamp; each of the others has one of its own
TOGETHER = (
    (
        "an IPv6 range for the API server",
        "too few cores",
        "a port that the nodes' group closes to clients",
        "a trusted service tag that does not exist",
        "an imported image without a digest",
        "an image without a digest",
    ),
    ("a controller locked out", "pools that their sizes do not fit", "a client's address in a header that is not looked into"),
)


@pytest.fixture(scope="module")
def refusing() -> Any:
    lab = Lab("--no-kubernetes", "--unregistered", "Microsoft.KeyVault", "--quota", "IPv6StandardSkuPublicIpAddresses=0", "--quota", "cores=500")
    try:
        yield lab
    finally:
        lab.close()


@pytest.fixture(scope="module")
def refusals(refusing: Lab) -> dict[str, str]:
    """What is wrong -> why a run stops: one run has all stamps."""
    inventories = refusing.folder / "bad_input"
    shutil.copytree(refusing.inventories, inventories)
    together = [*TOGETHER, *((name,) for name in BAD_INPUT if not any(name in names for names in TOGETHER))]
    stamps = dict(zip(fleet.write(inventories, len(together)), together, strict=True))
    hosts = {
        stamp: {"dualstack_location": "westeurope"} | {variable: value for name in names for variable, value in BAD_INPUT[name][0].items()}
        for stamp, names in stamps.items()
    }
    (inventories / "fleet.yml").write_text(yaml.safe_dump({"regions": {"hosts": hosts}}))
    before = len(refusing.entries())
    run = refusing.run("ansible-playbook", "-i", str(inventories), "dualstack.aks.site", "--forks", "8")
    assert run.code == 2, run.output
    assert "Finalization of task args" not in run.output
    assert refusing.our_writes(before) == []
    return {name: run.failures[stamp].replace("\n", " ").replace(stamp, "STAMP") for stamp, names in stamps.items() for name in names}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_refused_before_anything_is_written(refusals: dict[str, str], name: str) -> None:
    azure = ["not registered: Microsoft.KeyVault", "IPv6StandardSkuPublicIpAddresses: 1 needed, but 0 of 0 are in use"]
    for text in [*BAD_INPUT[name][1], "run shared.yml", *(azure if name != "a wrong subscription" else [])]:
        assert text in refusals[name]


def test_a_port_that_a_group_of_others_closes(refusing: Lab) -> None:
    """Nodes in a network that is never written: whoever writes it has to let clients in."""
    network = f"{refusing.subscription}/resourceGroups/rg-theirs/providers/Microsoft.Network"
    opened = {"access": "Allow", "direction": "Inbound", "protocol": "Tcp", "priority": 100, "destinationPortRanges": ["80", "443"]}
    anywhere = {"sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*"}
    rules = [{"name": "web", "properties": opened | anywhere}]
    subnet = {"addressPrefixes": ["10.77.4.0/22", "fd77:0:0:5::/64"], "networkSecurityGroup": {"id": f"{network}/networkSecurityGroups/nsg-theirs"}}
    space = {"addressPrefixes": ["10.77.0.0/20", "fd77::/56"]}
    refusing.put(f"{refusing.subscription}/resourceGroups/rg-theirs", "2025-04-01", {"location": "westeurope"})
    for path, properties in (
        ("networkSecurityGroups/nsg-theirs", {"securityRules": rules}),
        ("virtualNetworks/theirs", {"addressSpace": space, "subnets": [{"name": "nodes", "properties": subnet}]}),
    ):
        refusing.put(f"{network}/{path}", "2025-05-01", {"location": "westeurope", "properties": properties})
    sql = {"name": "sql", "port": 5432, "service": "sql", "namespace": "apps", "service_port": 5432}
    for variables in (
        {"network_existing_vnet_id": f"{network}/virtualNetworks/theirs"},
        {"aks_node_subnet_id": f"{network}/virtualNetworks/theirs/subnets/nodes"},
    ):
        refusing.set(ingress_streams=[sql], **variables)
        before = len(refusing.entries())
        run = refusing.playbook("site", "--check")
        assert run.code == 2, run.output
        printed = run.output.replace("\n", " ")
        assert "ingress_streams[0]: the rule DenyAllInBound of nsg-theirs closes TCP port 5432 to every IPv4 and IPv6 client" in printed, run.output
        assert "let clients in by a rule in nsg-theirs, which no role writes" in printed
        assert "ingress_routes: the rule" not in printed
        assert refusing.our_writes(before) == []


def test_a_cloud_that_is_behind_is_asked_with_its_own_versions(arm: Lab) -> None:
    network, registry = "Microsoft.Network/virtualNetworks", "Microsoft.ContainerRegistry/registries"
    facts = known(registry)
    assert facts
    before = len(arm.entries())
    versions = json.dumps({"dualstack_api_versions": {network: "2024-05-01"}})
    run = arm.playbook("site", "--check", "--tags", "network,registry", "-e", versions)
    assert run.code == 0, run.output
    asked = {(type_of(entry["path"]), entry["apiVersion"]) for entry in arm.entries(before) if "/providers/" in entry["path"]}
    assert {version for name, version in asked if name.startswith(network)} == {"2024-05-01"}
    assert {version for name, version in asked if name == registry} == {facts.api_version}

    versions = json.dumps({"dualstack_api_versions": {"Microsoft.Network/vnets": "latest"}})
    refused = arm.playbook("site", "--check", "-e", versions)
    assert refused.code == 2
    assert "dualstack_api_versions: 'Microsoft.Network/vnets' is not a resource type" in refused.output
    assert "'latest' of Microsoft.Network/vnets is not an API version" in refused.output


def test_missing_credentials(arm: Lab) -> None:
    environment = arm.environment
    arm.set(dualstack_subscription_id=environment["AZURE_SUBSCRIPTION_ID"])
    run = arm.run("env", "-u", "AZURE_SECRET", "ansible-playbook", "-i", str(arm.inventories / "westeurope.yml"), "dualstack.aks.site")
    assert run.code == 2
    assert "secret (AZURE_SECRET) not set" in run.output.replace("\n", " ")


def test_missing_python_packages(arm: Lab) -> None:
    hidden = arm.folder / "hidden"
    (hidden / "azure").mkdir(parents=True)
    (hidden / "azure" / "__init__.py").touch()
    inventory = str(arm.inventories / "westeurope.yml")
    run = arm.run("env", f"PYTHONPATH={hidden}", "ansible-playbook", "-i", inventory, "dualstack.aks.site")
    assert run.code != 0
    assert "Install the collection's requirements.txt" in run.output
    assert "Traceback" not in run.output


def test_names_taken_by_others(arm: Lab) -> None:
    arm.set(registry_name="takenbyothers")
    group = f"{arm.subscription}/resourceGroups/rg-others"
    assert arm.call("PUT", group, "2025-04-01", {"location": "westeurope"}).status_code == 201
    registry = f"{group}/providers/Microsoft.ContainerRegistry/registries/takenbyothers"
    assert arm.call("PUT", registry, "2025-11-01", {"location": "westeurope", "sku": {"name": "Basic"}}).status_code == 200
    run = arm.playbook("site")
    assert run.code == 2
    assert "takenbyothers is already used by somebody else in Azure" in " ".join(run.output.split())


def test_a_private_zone_that_hides_public_names_warns(arm: Lab) -> None:
    run = arm.playbook("site", "--check", "--tags", "dns", "-e", "dns_private_zone=example.org")
    assert run.code == 0, run.output
    assert "The private zone example.org answers for names of the public zone aks.example.org" in " ".join(run.output.split())


NETWORK_ONLY = ("--tags", "network", *WITHOUT_ZONES)


def test_providers_are_registered_when_allowed() -> None:
    lab = Lab("--no-kubernetes", "--unregistered", "Microsoft.Network")
    try:
        lab.set(network_register_providers=True)
        run = lab.playbook("site", *NETWORK_ONLY)
        assert run.code == 0, run.output
        assert any(write.endswith("/Microsoft.Network/register") for write in lab.our_writes())
    finally:
        lab.close()


def test_a_quota_in_full_use_stops_only_what_is_to_be_made() -> None:
    lab = Lab("--no-kubernetes", "--quota", "IPv4StandardSkuPublicIpAddresses=2", "--quota", "IPv6StandardSkuPublicIpAddresses=2")
    try:
        lab.set(network_egress="nat_gateway")
        first = lab.playbook("site", *NETWORK_ONLY)
        assert first.code == 0, first.output
        again = lab.playbook("site", *NETWORK_ONLY)
        assert (again.code, again.changed) == (0, 0), again.output
        lab.change(network_egress_address_count=2)
        before = len(lab.entries())
        more = lab.playbook("site", *NETWORK_ONLY)
        assert more.code == 2, more.output
        for version in ("IPv4", "IPv6"):
            assert f"{version}StandardSkuPublicIpAddresses: 1 needed, but 2 of 2 are in use" in more.output.replace("\n", " ")
        assert lab.our_writes(before) == []
    finally:
        lab.close()


@pytest.fixture(scope="module")
def behind_a_gateway() -> Iterator[Lab]:
    with Lab("--no-kubernetes") as lab:
        lab.set(network_egress="nat_gateway", aks_api_server_authorized_ip_ranges=["198.51.100.0/24"])
        yield lab


def test_an_allow_list_has_the_addresses_of_the_nodes_gateway(behind_a_gateway: Lab) -> None:
    lab = behind_a_gateway
    arguments = ("--tags", "network,aks", *WITHOUT_ZONES)
    for changes in (True, False):
        run = lab.playbook("site", *arguments)
        assert (run.code, run.changed > 0) == (0, changes), run.output
    address = lab.get(f"{lab.group()}/providers/Microsoft.Network/publicIPAddresses/pip-example-westeurope-egress-ipv4-1", "2025-05-01")
    cluster = lab.get(f"{lab.group()}/providers/Microsoft.ContainerService/managedClusters/aks-example-westeurope", "2026-04-01")
    expected = ["198.51.100.0/24", f"{address['properties']['ipAddress']}/32"]
    assert cluster["properties"]["apiServerAccessProfile"]["authorizedIPRanges"] == expected


def test_an_allow_list_without_the_gateways_addresses_is_refused(behind_a_gateway: Lab) -> None:
    before = len(behind_a_gateway.entries())
    run = behind_a_gateway.playbook("site", "--tags", "network,aks", *WITHOUT_ZONES, "-e", '{"aks_egress_ipv4_address_ids": []}')
    assert run.code == 2
    assert "connect through their NAT gateway [nodes_locked_out]" in " ".join(run.output.split())
    assert behind_a_gateway.our_writes(before) == []


def test_plan_needs_no_azure(arm: Lab) -> None:
    register = arm.register
    register.write_text("dualstack_register: {}\n")
    before = len(arm.entries())
    inventory = str(arm.inventories)
    assert arm.run("ansible-playbook", "-i", inventory, "dualstack.aks.plan", "--check", "--diff").code == 2
    assert arm.run("ansible-playbook", "-i", inventory, "dualstack.aks.plan", "-e", "plan_write=true").code == 0
    written = yaml.safe_load(register.read_text())["dualstack_register"]["stamps"]
    assert sorted(written) == ["northeurope", "westeurope"]
    again = arm.run("ansible-playbook", "-i", inventory, "dualstack.aks.plan", "--check")
    assert (again.code, again.changed) == (0, 0), again.output
    assert arm.entries(before) == []


def test_a_first_plan_makes_the_registers_folder(arm: Lab) -> None:
    folder = arm.inventories / "new" / "group_vars" / "regions"
    run = arm.playbook("plan", "-e", "plan_write=true", "-e", f"plan_register_file={folder / 'addresses.yml'}", "-e", '{"dualstack_register": {}}')
    assert run.code == 0, run.output
    assert yaml.safe_load((folder / "addresses.yml").read_text())["dualstack_register"]["stamps"].keys() == {"westeurope"}
