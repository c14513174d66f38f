"""The images that pods run, made of Go modules and Debian packages, since the lab has no registry to pull from."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import Missing, Say, go
from ..cache import CACHE
from ..progress import step
from . import archive, haproxy, nginx, packages
from .archive import Entry

#: what roles/ingress deploys; a test compares the two
NGINX = "ghcr.io/nginx/nginx-unprivileged:1.30.5-alpine@sha256:ed04ec1ff34502c339ee5c3ae3f855442398edc1d05591e2b98981dcbbd20b1e"
#: the ingress of somebody else's cluster
HAPROXY = "docker.io/library/haproxy:3.0"
METRICS_SERVER_VERSION = "v0.9.0"


@dataclass(frozen=True)
class Program:
    """A static Go program, and the image it is the only file of; none where nodes run it themselves."""

    package: str
    image: str = ""
    arguments: tuple[str, ...] = ()
    user: str = "65532:65532"
    version: str = "v0.0.0"


PROGRAMS = {
    "pause": Program("./images/pause", "registry.k8s.io/pause:3.10"),
    "coredns": Program("./images/coredns", "registry.k8s.io/coredns/coredns:v1.14.7", user="0:0"),
    "metrics-server": Program(
        "sigs.k8s.io/metrics-server/cmd/metrics-server",
        f"registry.k8s.io/metrics-server/metrics-server:{METRICS_SERVER_VERSION}",
        version=METRICS_SERVER_VERSION,
    ),
    "application": Program("./images/application", "registry.example.org/lab/application:1", ("serve",)),
    "secretsstore": Program("./images/secretsstore"),
}


@dataclass(frozen=True)
class Image:
    """An image to import: its name in the archive, and all names that containerd must know it by."""

    name: str
    archive: Path
    names: tuple[str, ...]

    def commands(self, ctr: Sequence[str]) -> list[list[str]]:
        """The commands that import it into a containerd; ``ctr`` is such as ``[path, "-a", socket, "-n", "k8s.io"]``."""
        tags = [[*ctr, "image", "tag", "--force", self.name, name] for name in self.names if name != self.name]
        return [[*ctr, "image", "import", str(self.archive)], *tags]


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _build_of(name: str) -> go.Build:
    """How a program is built. Its folder is named by all that it is built from; go.sum pins what it imports."""
    selected = PROGRAMS[name]
    sources = sorted((go.MODULE / selected.package).glob("*.go")) if selected.package.startswith("./") else []
    files = [go.MODULE / "go.mod", go.MODULE / "go.sum", *(path for path in sources if not path.name.endswith("_test.go"))]
    key = _digest(selected.package.encode(), selected.version.encode(), *(path.read_bytes() for path in files))
    return go.Build(selected.package, selected.version, CACHE / "images" / f"{name}-{key}" / name)


def program(name: str) -> Path:
    """The path of a program, to run it on the machine too; what is :func:`missing` has been built before."""
    return _build_of(name).target


#: images of Debian packages: name -> the module that lays it out, and the image's own name
_PACKAGED = {"nginx": (nginx, NGINX.partition("@")[0]), "haproxy": (haproxy, HAPROXY)}


def _archive_of(name: str) -> Path:
    if name in _PACKAGED:
        sources = (_PACKAGED[name][0], packages, archive)
        key = _digest(*(Path(str(module.__file__)).read_bytes() for module in sources))
    else:
        key = _digest(program(name).parent.name.encode(), repr(PROGRAMS[name]).encode(), Path(archive.__file__).read_bytes())
    return CACHE / "images" / f"{name}-{key}.tar"


def archives() -> list[Image]:
    """All images; :func:`ensure` has been called before."""
    repository, _, digest = NGINX.partition("@")
    tagged = [Image(known.image, _archive_of(name), (known.image,)) for name, known in PROGRAMS.items() if known.image]
    # containerd looks an image that is pinned by digest up without its tag.
    pinned = f"{repository.rpartition(':')[0]}@{digest}"
    made = [
        *tagged,
        Image(repository, _archive_of("nginx"), (repository, pinned)),
        Image(HAPROXY, _archive_of("haproxy"), (HAPROXY,)),
    ]
    for image in made:
        if not image.archive.exists():
            raise Missing(f"lab: the image {image.name} is missing; run: python -m lab binaries")
    return made


def missing() -> list[go.Build]:
    """The programs that must be built."""
    return [build for name in PROGRAMS if not (build := _build_of(name)).target.exists()]


def ensure(say: Say) -> None:
    """Make every image that is missing; what is :func:`missing` has been built before."""
    for name, known in PROGRAMS.items():
        if known.image and not _archive_of(name).exists():
            configuration = {"Entrypoint": [f"/{name}"], "Cmd": list(known.arguments), "User": known.user, "WorkingDir": "/"}
            entries = {name: Entry(program(name).read_bytes()), "tmp": Entry(folder=True, mode=0o1777)}
            archive.write(_archive_of(name), known.image, entries, configuration)
    for name, (module, image) in _PACKAGED.items():
        if _archive_of(name).exists():
            continue
        with tempfile.TemporaryDirectory(dir=CACHE / "images") as folder, step(f"making the image of {name}", say) as making:
            archive.write(_archive_of(name), image, module.entries(Path(folder), say), module.CONFIGURATION)
        say(f"made the image of {name}: {_archive_of(name).stat().st_size / 1e6:.0f} MB in {making.took}")
