"""Service tags and their prefixes: a few of Azure's, with addresses of the lab's own.

The answer's form is that of learn.microsoft.com/rest/api/virtualnetwork/service-tags/list.
"""

from __future__ import annotations

from typing import Any

#: The lab's client with both families plays Front Door.
PREFIXES = {
    "AzureFrontDoor.Backend": ["192.0.2.11/32", "2001:db8:c::11/128"],
    "AzureFrontDoor.Frontend": ["198.51.100.192/26", "2001:db8:f:fd::/64"],
}


def listed(subscription_id: str) -> dict[str, Any]:
    """The list, which is the same in each region of a cloud."""
    base = f"{subscription_id}/providers/Microsoft.Network/serviceTags/Public"
    return {
        "id": base,
        "name": "Public",
        "type": "Microsoft.Network/serviceTags",
        "changeNumber": "1",
        "cloud": "Public",
        "values": [
            {
                "id": name,
                "name": name,
                "serviceTagChangeNumber": "1",
                "properties": {
                    "changeNumber": "1",
                    "region": "",
                    "state": "GA",
                    "networkFeatures": ["API", "NSG", "UDR", "FW"],
                    "systemService": name.partition(".")[0],
                    "addressPrefixes": prefixes,
                },
            }
            for name, prefixes in PREFIXES.items()
        ],
    }


def prefixes_of(name: str) -> list[str]:
    """The prefixes of a tag, whose name has no case; none for one without addresses in the lab (AzureCloud, Storage, …)."""
    return next((prefixes for known, prefixes in PREFIXES.items() if known.lower() == name.lower()), [])
