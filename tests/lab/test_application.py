"""The application that pods run, on loopback: every protocol, both ways."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.ports import free_port
from lab.supplies import go, images

LISTENERS = ("http", "grpc", "tls", "tcp", "udp", "proxy-http", "proxy-tls", "proxy-tcp")
LOOPBACK = {"IPv4": "127.0.0.1", "IPv6": "[::1]"}


@dataclass
class Application:
    program: Path
    process: subprocess.Popen[str]
    ports: dict[str, int]
    log: Path

    def call(self, kind: str, target: str, *flags: str) -> dict[str, Any]:
        done = subprocess.run([self.program, "call", kind, target, *flags], capture_output=True, text=True, timeout=30, check=False)
        answer: dict[str, Any] = json.loads(done.stdout)
        assert (done.returncode == 0) == ("error" not in answer)
        return answer

    def at(self, family: str, listener: str) -> str:
        return f"{LOOPBACK[family]}:{self.ports[listener]}"


@pytest.fixture(scope="session")
def program() -> Path:
    """Built once, in a few seconds where the lab's binaries are, else in up to a minute."""
    go.build([build for build in images.missing() if build.target.name == "application"], print)
    return images.program("application")


@pytest.fixture(scope="session")
def start(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Application]]:
    started: list[Application] = []

    def start() -> Application:
        ports = {name: free_port() for name in LISTENERS}
        log = tmp_path_factory.mktemp("application") / "log"
        flags = [f"--{name}={port}" for name, port in ports.items()]
        with log.open("w") as output:
            arguments = [str(program), "serve", "--ipv4-address=127.0.0.1", "--ipv6-address=::1", *flags]
            process = subprocess.Popen(arguments, stdout=output, stderr=output, text=True)
        application = Application(program, process, ports, log)
        started.append(application)
        deadline = time.monotonic() + 10
        # the last that it opens
        while "error" in application.call("tcp", application.at("IPv6", "proxy-tcp"), "--proxy=1", "--proxy-source=[2001:db8::1]:1"):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        return application

    yield start
    for application in started:
        application.process.kill()
        application.process.wait()


@pytest.fixture(scope="session")
def application(start: Callable[[], Application]) -> Application:
    return start()


@pytest.fixture(params=sorted(LOOPBACK))
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(("flags", "protocol"), [((), "HTTP/1.1"), (("--http2",), "HTTP/2.0")])
def test_http(application: Application, family: str, flags: tuple[str, ...], protocol: str) -> None:
    answer = application.call("http", f"http://{application.at(family, 'http')}/a?b=c", "--header=X-Lab=1", "--host=name.example", *flags)
    body = answer["body"]
    assert (answer["status"], answer["protocol"], answer["family"]) == (200, protocol, family)
    assert (body["family"], body["protocol"], body["method"], body["path"]) == (family, protocol, "GET", "/a?b=c")
    assert (body["headers"]["x-lab"], body["headers"]["host"]) == (["1"], ["name.example"])
    assert (body["peer"], body["local"]) == (answer["local"], answer["peer"])


def test_answers_to_order(application: Application) -> None:
    url = f"http://{application.at('IPv6', 'http')}"
    assert application.call("http", f"{url}/status/503")["status"] == 503
    assert application.call("http", f"{url}/bytes/100000")["bytes"] == 100000
    assert application.call("http", f"{url}/delay/0.2")["seconds"] >= 0.2
    assert "error" in application.call("http", f"{url}/delay/5", "--timeout=100ms")


def test_tls(application: Application, family: str) -> None:
    target = application.at(family, "tls")
    body = application.call("tls", target, "--insecure", "--http2", "--host=name.example")["body"]
    assert (body["family"], body["protocol"]) == (family, "HTTP/2.0")
    assert (body["tls"]["server_name"], body["tls"]["application_protocol"]) == ("name.example", "h2")
    assert "certificate" in application.call("tls", target)["error"]


def test_websocket(application: Application, family: str) -> None:
    answer = application.call("websocket", f"ws://{application.at(family, 'http')}/websocket", "--message=again")
    assert (answer["status"], answer["echo"], answer["body"]["family"]) == (101, "again", family)


@pytest.mark.parametrize("kind", ["grpc", "grpc-echo"])
def test_grpc(application: Application, family: str, kind: str) -> None:
    answer = application.call(kind, application.at(family, "grpc"), "--header=x-lab=1", "--message=again")
    assert (answer["body"]["family"], answer["body"]["headers"]["x-lab"]) == (family, ["1"])
    assert "again" in (answer.get("echo"), answer["body"].get("payload"))


def test_tcp_and_udp(application: Application, family: str) -> None:
    stream = application.call("tcp", application.at(family, "tcp"), "--message=again")
    assert (stream["body"]["family"], stream["body"]["peer"], stream["echo"]) == (family, stream["local"], "again")
    datagram = application.call("udp", application.at(family, "udp"), "--message=again")
    assert (datagram["body"]["family"], datagram["body"]["local"], datagram["body"]["payload"]) == (family, datagram["peer"], "again")


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("source", ["192.0.2.7:700", "[2001:db8::7]:700"])
def test_proxy_protocol(application: Application, version: int, source: str) -> None:
    flags = (f"--proxy={version}", f"--proxy-source={source}", "--insecure")
    calls = [
        application.call("http", f"http://{application.at('IPv4', 'proxy-http')}/", *flags),
        application.call("tls", application.at("IPv4", "proxy-tls"), *flags),
        application.call("tcp", application.at("IPv4", "proxy-tcp"), *flags),
    ]
    assert [(each["body"]["client"], each["body"]["peer"]) for each in calls] == [(source, each["local"]) for each in calls]


def test_a_proxy_that_says_nothing_is_refused(application: Application) -> None:
    assert "error" in application.call("http", f"http://{application.at('IPv4', 'proxy-http')}/", "--timeout=1s")


def test_watch(application: Application) -> None:
    good, bad = f"http://{application.at('IPv6', 'http')}/", f"http://127.0.0.1:{free_port()}/"
    arguments = [str(application.program), "watch", good, bad, "--count=3", "--interval=20ms", "--source=east"]
    lines = [json.loads(line) for line in subprocess.run(arguments, capture_output=True, text=True, timeout=30, check=True).stdout.splitlines()]
    assert sorted((line["source"], line["url"], line["family"], line.get("status"), "error" in line) for line in lines) == sorted(
        [("east", good, "IPv6", 200, False)] * 3 + [("east", bad, "IPv4", None, True)] * 3
    )


def test_sigterm_lets_a_request_finish(start: Callable[[], Application]) -> None:
    stopped = start()
    url = f"http://{stopped.at('IPv4', 'http')}/delay/3"
    with subprocess.Popen([stopped.program, "call", "http", url], stdout=subprocess.PIPE, text=True) as slow:
        time.sleep(1)
        stopped.process.send_signal(signal.SIGTERM)
        answer = json.loads(slow.communicate(timeout=10)[0])
    assert (answer["status"], stopped.process.wait(5)) == (200, 0)
    logged = [json.loads(line) for line in stopped.log.read_text().splitlines() if line.startswith("{")]
    assert [(line["kind"], line["path"], line["status"]) for line in logged if line["kind"] == "http"] == [("http", "/delay/3", 200)]
