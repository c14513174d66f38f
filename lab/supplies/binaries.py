"""Where the real Kubernetes components come from: the machine, the cache, the official release, or a build from Go modules."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import subprocess
import tempfile
from pathlib import Path

import requests

from . import Missing, Say
from .cache import CACHE
from .go import Build
from .progress import step

VERSION = "v1.36.3"
CLOUD_PROVIDER_VERSION = "v1.36.5"
#: name -> Go package; all are pinned by go.mod in this folder
COMPONENTS = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "kubelet": "k8s.io/kubernetes/cmd/kubelet",
    "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
}
CLOUD_CONTROLLER = "cloud-controller-manager"
#: where Kubernetes' releases are
RELEASES = "https://dl.k8s.io"
_CLOUD_PACKAGE = "sigs.k8s.io/cloud-provider-azure/cmd/cloud-controller-manager"
#: they are in no release of Kubernetes
_UNRELEASED = ("etcd", CLOUD_CONTROLLER)
_STORE = CACHE / "bin" / f"kubernetes-{VERSION}"
_CLOUD_STORE = CACHE / "bin" / f"cloud-provider-azure-{CLOUD_PROVIDER_VERSION}"


def _is_pinned(path: Path, name: str) -> bool:
    """Whether a binary found on the machine is the version we pin; etcd's only has to be 3.5 or newer."""
    arguments = [str(path), "version", "--client"] if name == "kubectl" else [str(path), "--version"]
    try:
        printed = subprocess.run(arguments, capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ("etcd Version: 3.5" in printed or "etcd Version: 3.6" in printed) if name == "etcd" else VERSION in printed


@functools.cache
def find(name: str) -> Path | None:
    """A component that is available: from the cache, ``KUBEBUILDER_ASSETS`` or PATH."""
    if name == CLOUD_CONTROLLER:
        found = _CLOUD_STORE / name
        return found if found.exists() else None
    folders = [folder for folder in (os.environ.get("KUBEBUILDER_ASSETS"), *os.environ.get("PATH", "").split(":")) if folder]
    cached = _STORE / name
    if cached.exists():
        return cached
    for folder in folders:
        candidate = Path(folder) / name
        if os.access(candidate, os.X_OK) and _is_pinned(candidate, name):
            return candidate
    return None


def path_of(name: str) -> Path:
    """A component's path; what is :func:`missing` has been built before."""
    found = find(name)
    if found is None:
        raise Missing(f"lab: {name} is missing; run: python -m lab binaries")
    return found


def missing(say: Say) -> list[Build]:
    """The components that must be built, after what is missing and has a release was downloaded."""
    names = [name for name in (*COMPONENTS, CLOUD_CONTROLLER) if find(name) is None]
    unbuilt = [_program(name) for name in names if not _download(name, say)]
    find.cache_clear()
    return unbuilt


def _program(name: str) -> Build:
    if name == CLOUD_CONTROLLER:
        return Build(_CLOUD_PACKAGE, CLOUD_PROVIDER_VERSION, _CLOUD_STORE / name)
    return Build(COMPONENTS[name], VERSION, _STORE / name)


def _download(name: str, say: Say) -> bool:
    """Get the official release, verified by its checksum. False where it cannot be reached or has no such file."""
    if name in _UNRELEASED:
        return False
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    url = f"{RELEASES}/{VERSION}/bin/linux/{architecture}/{name}"
    try:
        expected = requests.get(f"{url}.sha256", timeout=(5, 20))
        expected.raise_for_status()
        with step(f"downloading {url}", say, "MB") as downloading, requests.get(url, timeout=(5, 60), stream=True) as answer:
            answer.raise_for_status()
            content, size = bytearray(), int(answer.headers.get("Content-Length", 0))
            for part in answer.iter_content(1 << 20):
                content += part
                downloading.at(len(content) / 1e6, size / 1e6)
    except requests.RequestException:
        return False
    if hashlib.sha256(content).hexdigest() != expected.text.strip():
        raise Missing(f"lab: {url} does not have the checksum that its release names; nothing was kept")
    _keep(content, _STORE / name)
    say(f"downloaded {name} {VERSION}: {len(content) / 1e6:.0f} MB in {downloading.took}")
    return True


def _keep(content: bytearray, target: Path) -> None:
    """Write a binary whole or not at all, whatever interrupts it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        file.write(content)
    Path(file.name).chmod(0o755)
    Path(file.name).replace(target)
