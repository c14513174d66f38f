"""A page in Chromium without a window, as a person of a given screen, colour scheme and keyboard has it.

Chromium is the machine's, or Debian's package unpacked into the lab's cache. It is spoken to by its DevTools protocol, over a pipe.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lab.supplies import debian

_PROGRAM = "chromium-headless-shell"
_SECONDS = 60.0


class BrowserFailure(Exception):
    """The browser did not do what it was told."""


class Browser:
    """One tab. ``messages`` holds what the page wrote to its console, and ``requests`` every address that it asked for."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.requests: list[str] = []
        self._number, self._unread, self._events = 0, b"", list[dict[str, Any]]()
        self._session: dict[str, str] = {}

    def __enter__(self) -> Self:
        debian.ensure(print, ("browser",))
        self._folder = tempfile.TemporaryDirectory()
        program = debian.path_of(_PROGRAM)
        child_in, self._out = map(_raised, os.pipe())
        self._in, child_out = map(_raised, os.pipe())
        # The protocol's pipe has the file numbers 3 and 4, which Popen cannot give. No sandbox, since it loads our own pages only.
        options = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={self._folder.name}/profile"]
        with (Path(self._folder.name) / "log").open("w") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", f'exec "$@" 3<&{child_in} 4>&{child_out}', "bash", str(program), *options],
                pass_fds=(child_in, child_out),
                env=os.environ | debian.environment() | {"FONTCONFIG_FILE": str(self._fonts(program)), "HOME": self._folder.name},
                stdout=log,
                stderr=log,
            )
        os.close(child_in)
        os.close(child_out)
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._out)
        os.close(self._in)
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def _fonts(self, program: Path) -> Path:
        """Fonts of the machine, and those that were unpacked with the program."""
        folders = {str(root / "usr/share/fonts") for root in (Path("/"), *program.parents) if (root / "usr/share/fonts").is_dir()}
        path = Path(self._folder.name) / "fonts.conf"
        listed = "".join(f"<dir>{folder}</dir>" for folder in sorted(folders))
        names = dict.fromkeys(("sans", "system-ui", "sans-serif"), "DejaVu Sans") | dict.fromkeys(("monospace", "ui-monospace"), "DejaVu Sans Mono")
        aliases = "".join(f"<alias><family>{name}</family><prefer><family>{font}</family></prefer></alias>" for name, font in names.items())
        path.write_text(f"<fontconfig>{listed}{aliases}<cachedir>{self._folder.name}/fonts</cachedir></fontconfig>")
        return path

    def open(self, page: Path, width: int, scheme: str = "light") -> None:
        """Load a page at a width in pixels."""
        self.messages.clear()
        self.requests.clear()
        self.resize(width, 900)
        self._call("Emulation.setEmulatedMedia", media="screen", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self._events.clear()
        self._call("Page.navigate", url=page.as_uri())
        self._await("Page.loadEventFired")

    def resize(self, width: int, height: int) -> None:
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def print_view(self) -> None:
        """Show the page as it would be printed."""
        self._call("Emulation.setEmulatedMedia", media="print", features=[])

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        found = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise BrowserFailure(json.dumps(found["exceptionDetails"]))
        return found["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """Press a key that has a name, such as Tab."""
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text="\r" if key == "Enter" else "")

    def picture(self, path: Path) -> None:
        """Write the whole page as a PNG file."""
        found = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))

    def paper(self) -> bytes:
        """The page as it is printed: PDF of the size that the page itself names."""
        return base64.b64decode(self._call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"])

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        os.write(self._out, json.dumps({"id": self._number, "method": method, "params": parameters, **self._session}).encode() + b"\0")
        while True:
            message = self._read()
            if message.get("id") == self._number:
                if "error" in message:
                    raise BrowserFailure(f"{method}: {message['error']}")
                answer: dict[str, Any] = message["result"]
                return answer

    def _await(self, event: str) -> None:
        while all(found["method"] != event for found in self._events):
            self._read()

    def _read(self) -> dict[str, Any]:
        """The next message of the browser; events are remembered."""
        end = time.monotonic() + _SECONDS
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._in], [], [], max(0.0, end - time.monotonic()))
            piece = os.read(self._in, 1 << 20) if ready else b""
            if not piece:
                raise BrowserFailure(f"no answer: {(Path(self._folder.name) / 'log').read_text()[-2000:]}")
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self._remember(message)
        return message

    def _remember(self, event: dict[str, Any]) -> None:
        self._events.append(event)
        about = event["params"]
        if event["method"] == "Log.entryAdded":
            self.messages.append(about["entry"]["text"])
        elif event["method"] == "Runtime.consoleAPICalled":
            self.messages.append(str([item.get("value") for item in about["args"]]))
        elif event["method"] == "Runtime.exceptionThrown":
            self.messages.append(about["exceptionDetails"]["text"])
        elif event["method"] == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])


def _raised(number: int) -> int:
    """The same file above the numbers that the protocol uses."""
    raised = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(number)
    return raised
