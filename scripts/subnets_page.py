"""Write the page of subnets: what each purpose of a subnet demands, from the collection's own table.

python -m scripts.subnets_page
"""

from __future__ import annotations

from pathlib import Path

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.purposes import PURPOSES, Purpose
from scripts.restructured_text import heading, link, list_table

TARGET = Path(__file__).parents[1] / "docs" / "docsite" / "rst" / "subnets.rst"
_INTRODUCTION = """
The role network creates each subnet of ``dualstack_subnets`` as Azure requires it for its purpose:

.. code-block:: yaml

   dualstack_subnets:
     nodes: {ipv4_prefix_length: 22, purpose: nodes}
     endpoints: {ipv4_prefix_length: 26, purpose: private_endpoints, families: [IPv4]}
     GatewaySubnet: {ipv4_prefix_length: 27}
     AzureBastionSubnet: {ipv4_prefix_length: 26}
     ingress: {ipv4_prefix_length: 24, purpose: application_gateway}
     databases: {ipv4_prefix_length: 28, delegation: Microsoft.DBforPostgreSQL/flexibleServers}

Set ``purpose`` to say what a subnet is for. Without it, the ``delegation`` decides, or a name that Azure reserves for a service. Any
other subnet gets a network security group with Azure's default rules. A run refuses what Azure would refuse, before it writes anything.

"""
_HEADER = ("purpose", "name", "IPv4 prefix", "IPv6", "delegated to", "security group", "route table", "NAT gateway", "source")
_NOTES = """
- Azure accepts no other name for a service with a name in the table, and no other service in a subnet of that name.
- ``families`` defaults to IPv4 where the service has no IPv6, else to both.
- *Security group*: the rules that the service needs. Clients of an Application Gateway reach its ports 80 and 443; to open others, set
  ``network_security_rules_shared`` and add rules to the group. Groups of delegated subnets keep the rules that their service adds.
- *Route table*: whether Azure accepts one. The role attaches none, and keeps one that others attached.
- *NAT gateway*: whether the subnet leaves through the stamp's gateway, with ``network_egress: nat_gateway``.
- A live subnet keeps its size and families, and its delegation while something uses it. An existing virtual network is only checked.

``make docs`` generates this page.
"""


def page() -> str:
    """The page as text."""
    rows = [_row(name, purpose) for name, purpose in PURPOSES.items()]
    return heading("subnets", "Subnets by purpose") + _INTRODUCTION + list_table(_HEADER, rows) + _NOTES


def _row(name: str, purpose: Purpose) -> tuple[str, ...]:
    length = f"/{purpose.longest}" if purpose.shortest == purpose.longest else f"/{purpose.longest} or larger"
    if not purpose.security_group:
        group = "none: Azure refuses it"
    elif name == "nodes":
        group = "``network_security_rules``"
    else:
        group = ", ".join(f"``{rule['name']}``" for rule in purpose.security_rules) or "default rules"
    return (
        f"``{name}``",
        f"``{purpose.name}``" if purpose.name else "any",
        length,
        "yes" if purpose.ipv6 else "no",
        purpose.delegation or "none",
        group,
        "yes" if purpose.route_table else "no",
        "yes" if purpose.nat_gateway else "no",
        link("page", purpose.source),
    )


if __name__ == "__main__":
    TARGET.write_text(page())
