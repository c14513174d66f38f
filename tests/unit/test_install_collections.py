"""Collections out of a wheel, for machines that do not reach Galaxy."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from scripts.install_collections import from_package


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "ansible-1.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for namespace, name in (("kubernetes", "core"), ("kubernetes", "core_extra"), ("cisco", "ios")):
            folder = f"ansible_collections/{namespace}/{name}"
            archive.writestr(f"{folder}/MANIFEST.json", json.dumps({"collection_info": {"version": "6.6.0"}}))
            archive.writestr(f"{folder}/plugins/modules/k8s.py", "")
    return path


def test_only_what_is_wanted_is_unpacked(wheel: Path, tmp_path: Path) -> None:
    from_package({"kubernetes.core": ">=6.0.0"}, wheel, tmp_path / "site-packages")
    found = {str(path.relative_to(tmp_path / "site-packages")) for path in (tmp_path / "site-packages").rglob("*") if path.is_file()}
    assert found == {f"ansible_collections/kubernetes/core/{name}" for name in ("MANIFEST.json", "plugins/modules/k8s.py")}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"kubernetes.core": ">=7"}, "has kubernetes.core 6.6.0, but >=7 is needed"),
        ({"azure.azcollection": ">=3.15.0"}, "has no collection azure.azcollection"),
    ],
)
def test_what_a_wheel_does_not_have_is_refused(wheel: Path, tmp_path: Path, wanted: dict[str, str], message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        from_package(wanted, wheel, tmp_path / "site-packages")
    assert not (tmp_path / "site-packages").exists()
