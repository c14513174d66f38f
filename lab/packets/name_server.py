"""A real name server (CoreDNS) on addresses of a namespace."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from ..process import Process
from ..supplies import images
from .namespaces import Namespace


class NameServer:
    """CoreDNS on addresses of a namespace, answering from a folder of zone files that it rereads five times a second."""

    def __init__(self, namespace: Namespace, folder: Path, addresses: tuple[str, ...]) -> None:
        self._namespace, self._folder, self._addresses = namespace, folder, addresses
        self._written: dict[str, str] = {}
        self._process: Process | None = None
        self._serial = int(time.time())

    async def start(self, zones: Mapping[str, str]) -> None:
        (self._folder / "zones").mkdir(parents=True, exist_ok=True)
        for path in (self._folder / "zones").iterdir():
            path.unlink()
        self.write(zones)
        configuration = self._folder / "Corefile"
        configuration.write_text(
            ".:53 {\n"
            f"  bind {' '.join(self._addresses)}\n"
            f"  auto {{\n    directory {self._folder}/zones (.*)\\.zone {{1}}\n    reload 200ms\n  }}\n"
            "  errors\n"
            "}\n"
        )
        self._process = Process("coredns", self._namespace.program(images.program("coredns"), "-conf", configuration), self._folder / "coredns.log")
        await self._process.start()

    def write(self, zones: Mapping[str, str]) -> None:
        """Write the zone files; a file's serial number grows when its records change."""
        for name in self._written.keys() - zones.keys():
            (self._folder / "zones" / f"{name}.zone").unlink()
        for name, records in zones.items():
            if self._written.get(name) != records:
                self._serial += 1
                head = f"$ORIGIN {name}.\n@ 3600 IN SOA ns1.{name}. azuredns-hostmaster.microsoft.com. {self._serial} 3600 300 2419200 300\n"
                path = self._folder / "zones" / f"{name}.zone"
                # Replaced whole: the server may be reading it.
                temporary = path.with_suffix(".new")
                temporary.write_text(head + records + "\n")
                temporary.replace(path)
        self._written = dict(zones)

    async def stop(self) -> None:
        if self._process:
            await self._process.stop()
