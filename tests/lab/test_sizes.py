"""The sizes of VMs: figures as Azure's, and what each region has."""

from __future__ import annotations

import pytest

from lab.arm.compute.sizes import SIZES, described, sizes_in

#: size -> vCPUs, memory, temporary disk in MiB, cache in bytes and NVMe disks in MiB, as Azure described it
#: (recorded: github.com/Azure/karpenter-provider-azure, pkg/fake/zz_generated.sku.southcentralus.go)
RECORDED = {
    "Standard_A0": ("1", "0.75", "20480", None, None),
    "Standard_B1s": ("1", "1", "4096", "32212254720", None),
    "Standard_B20ms": ("20", "80", "163840", "32212254720", None),
    "Standard_D128ds_v6": ("128", "512", "0", None, "7208960"),
    "Standard_D16plds_v5": ("16", "32", "614400", "429496729600", None),
    "Standard_D2as_v6": ("2", "8", "0", None, None),
    "Standard_D2_v2": ("2", "7", "102400", None, None),
    "Standard_D2_v5": ("2", "8", "0", None, None),
    "Standard_D4s_v3": ("4", "16", "32768", "107374182400", None),
    "Standard_D64s_v3": ("64", "256", "524288", "1717986918400", None),
    "Standard_DC8s_v3": ("8", "64", "0", None, None),
    "Standard_DS2_v2": ("2", "7", "14336", "92341796864", None),
    "Standard_F16s_v2": ("16", "32", "131072", "274877906944", None),
    "Standard_NC16as_T4_v3": ("16", "110", "360448", "154618822656", None),
}
EPHEMERAL = {"Standard_D2as_v6": "False", "Standard_D2_v2": "False", "Standard_D2_v5": "False", "Standard_A0": "False", "Standard_DC8s_v3": "False"}
NAMES = ("vCPUs", "MemoryGB", "MaxResourceVolumeMB", "CachedDiskBytes", "NvmeDiskSizeInMiB")


@pytest.mark.parametrize("name", RECORDED)
def test_a_size_is_as_azure_described_it(name: str) -> None:
    capabilities = {item["name"]: item["value"] for item in described(SIZES[name.lower()], "southcentralus")["capabilities"]}
    assert tuple(map(capabilities.get, NAMES)) == RECORDED[name]
    assert capabilities["EphemeralOSDiskSupported"] == EPHEMERAL.get(name, "True")


def test_a_region_without_zones_has_fewer_sizes_and_none_in_a_zone() -> None:
    here, there = ({size.name: described(size, region) for size in sizes_in(region)} for region in ("westcentralus", "westeurope"))
    assert 30 <= len(here) < len(there)
    assert not [name for name, found in here.items() if found["locationInfo"][0]["zones"]]
    assert there["Standard_D4ds_v5"]["locationInfo"][0]["zones"] == ["1", "2", "3"]
    assert "Standard_D4ds_v6" not in here
    assert (here["Standard_A0"]["restrictions"][0]["reasonCode"], there["Standard_A0"]["restrictions"]) == ("NotAvailableForSubscription", [])
