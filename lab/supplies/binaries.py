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
from .go import flags, run_go

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
_HERE = Path(__file__).parent
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
    """A component's path; :func:`ensure` has been called before."""
    found = find(name)
    if found is None:
        raise Missing(f"lab: {name} is missing; run: python -m lab up")
    return found


def ensure(say: Say) -> None:
    """Get every component that is missing, and report progress."""
    missing = [name for name in COMPONENTS if find(name) is None]
    if missing:
        _STORE.mkdir(parents=True, exist_ok=True)
        missing = [name for name in missing if not _download(name, say)]
    if missing:
        _build_components(missing, say)
    if find(CLOUD_CONTROLLER) is None:
        _build_cloud_controller(say)
    find.cache_clear()


def _download(name: str, say: Say) -> bool:
    """The official release, verified by its checksum. False when it cannot be reached or has no such file (etcd)."""
    if name == "etcd":
        return False
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    url = f"https://dl.k8s.io/{VERSION}/bin/linux/{architecture}/{name}"
    try:
        expected = requests.get(f"{url}.sha256", timeout=(5, 20))
        expected.raise_for_status()
        say(f"downloading {url} (about 100 MB)")
        answer = requests.get(url, timeout=(5, 300))
        answer.raise_for_status()
    except requests.RequestException:
        return False
    if hashlib.sha256(answer.content).hexdigest() != expected.text.strip():
        raise Missing(f"lab: {url} does not have the checksum that its release names; nothing was kept")
    _keep(answer.content, _STORE / name)
    return True


def _keep(content: bytes, target: Path) -> None:
    """Write a binary whole or not at all, whatever interrupts it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        file.write(content)
    Path(file.name).chmod(0o755)
    Path(file.name).replace(target)


def _build_components(names: list[str], say: Say) -> None:
    duration = "about 8 minutes on 2 cores" if "kube-apiserver" in names else "about a minute after the API server was built here, else a few"
    say(f"building {', '.join(names)} {VERSION} from Go modules, once: {duration}")
    with tempfile.TemporaryDirectory(dir=_STORE) as folder:
        run_go(["build", *flags(VERSION), "-o", f"{folder}/", *(COMPONENTS[name] for name in names)], _HERE, say, "Kubernetes")
        for name in names:
            # etcd's main package is called server.
            built = Path(folder) / ("server" if name == "etcd" else name)
            built.chmod(0o755)
            built.replace(_STORE / name)


def _build_cloud_controller(say: Say) -> None:
    """The Azure cloud controller has no binary release: its module, or the source that ``LAB_CLOUD_PROVIDER_SOURCE`` names."""
    say(f"building the Azure cloud controller {CLOUD_PROVIDER_VERSION}, once: about 7 minutes on 2 cores")
    _CLOUD_STORE.mkdir(parents=True, exist_ok=True)
    package = "sigs.k8s.io/cloud-provider-azure/cmd/cloud-controller-manager"
    source = os.environ.get("LAB_CLOUD_PROVIDER_SOURCE")
    with tempfile.TemporaryDirectory(dir=_CLOUD_STORE) as folder:
        build = ["build", *flags(CLOUD_PROVIDER_VERSION), "-o", f"{folder}/{CLOUD_CONTROLLER}"]
        if source:
            run_go([*build, "./cmd/cloud-controller-manager"], Path(source).absolute(), say, "the cloud controller")
        else:
            module = Path(folder) / "module"
            module.mkdir()
            (module / "go.mod").write_text("module dualstack.aks/lab/cloudcontroller\n\ngo 1.26.0\n")
            try:
                run_go(["get", f"{package}@{CLOUD_PROVIDER_VERSION}"], module, say, "the cloud controller's module")
            except Missing as error:
                remedy = "Set LAB_CLOUD_PROVIDER_SOURCE to a checkout of kubernetes-sigs/cloud-provider-azure."
                raise Missing(f"{error}\nlab: {remedy}") from error
            run_go([*build, package], module, say, "the cloud controller")
        (Path(folder) / CLOUD_CONTROLLER).replace(_CLOUD_STORE / CLOUD_CONTROLLER)
