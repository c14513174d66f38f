"""Images, as far as they can be looked at without a container runtime."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from lab.state import CHECKOUT
from lab.supplies import images
from lab.supplies.binaries import VERSION
from lab.supplies.images import archive, nginx
from lab.supplies.images.archive import Entry


def test_the_proxy_is_the_one_that_the_role_deploys() -> None:
    assert yaml.safe_load((CHECKOUT / "roles/ingress/defaults/main.yml").read_text())["ingress_image"] == images.NGINX


def test_programs_are_of_the_clusters_release() -> None:
    modules = (CHECKOUT / "lab/supplies/go.mod").read_text()
    pinned = dict(re.findall(r"^\t(k8s\.io/(?:api|client-go|metrics)) => \S+ (\S+)", modules, re.MULTILINE))
    assert len(pinned) == 3
    assert set(pinned.values()) == {f"v0.{VERSION.removeprefix('v1.')}"}


def test_names_of_images_are_the_versions_that_are_built() -> None:
    modules = (CHECKOUT / "lab/supplies/go.mod").read_text()
    for name, module in (("coredns", "github.com/coredns/coredns"), ("metrics-server", "sigs.k8s.io/metrics-server")):
        assert f"{module} {images.PROGRAMS[name].image.rpartition(':')[2]}" in modules


def test_an_image_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    entries = {"bin/program": Entry(b"program"), "sh": Entry(link="bin/program"), "tmp": Entry(folder=True, mode=0o1777)}
    for name in ("first", "second"):
        archive.write(tmp_path / name, "registry.example.org/lab/test:1", entries, {"User": "1:1"})
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    with tarfile.open(tmp_path / "first") as image:
        parts = {member.name: image.extractfile(member) for member in image.getmembers()}
        read = {name: part.read() for name, part in parts.items() if part is not None}
    (manifest,), configuration = json.loads(read["manifest.json"]), json.loads(read["config.json"])
    assert manifest == {"Config": "config.json", "RepoTags": ["registry.example.org/lab/test:1"], "Layers": ["layer.tar"]}
    assert configuration["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(read['layer.tar']).hexdigest()}"]


def test_an_image_that_is_pinned_is_known_without_its_tag() -> None:
    image = images.Image("r.example/a:1", Path("a.tar"), ("r.example/a:1", "r.example/a@sha256:0"))
    assert image.commands(["ctr"]) == [
        ["ctr", "image", "import", "a.tar"],
        ["ctr", "image", "tag", "--force", "r.example/a:1", "r.example/a@sha256:0"],
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-g", "daemon off;"], ["-g", "LOAD daemon off;"]),
        (["-t"], ["-t", "-g", "LOAD"]),
        ([], ["-g", "LOAD"]),
        (["-c", "/tmp/a b.conf", "-gdaemon off;", "-q"], ["-c", "/tmp/a b.conf", "-q", "-g", "LOAD daemon off;"]),
    ],
)
def test_the_proxy_always_has_the_stream_module(tmp_path: Path, arguments: list[str], expected: list[str]) -> None:
    script = tmp_path / "nginx"
    script.write_text(re.sub(r"^exec \S+", "printf '%s\\\\n'", nginx.WRAPPER, flags=re.MULTILINE))
    printed = subprocess.run(["sh", str(script), *arguments], capture_output=True, text=True, check=True).stdout.splitlines()
    assert [re.sub(r"load_module \S+;", "LOAD", word) for word in printed] == expected
