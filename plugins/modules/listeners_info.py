#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# It runs on the hosts of the group probes, whose Python may be older than the controller's.
from __future__ import annotations

DOCUMENTATION = r"""
module: listeners_info
short_description: Probe each listener of an entrance like a client
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Sends an HTTP request, starts a TLS session or opens a connection, depending on the listener.
  - Probes listeners without an answer again until O(timeout), at least twice. Never fails because a listener does not answer.
options:
  address:
    description: The entrance's address. It is not a name, so that no other family can answer.
    type: str
    required: true
  listeners:
    description: RV(dualstack.aks.entrances_info#module:probes).
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the listener in the result.
        type: str
        required: true
      kind:
        description:
          - V(http) answers if the status is below 500, V(tls) if the handshake succeeds with a valid certificate.
          - V(tcp) answers if the connection stays open or data arrives. V(udp) fails only if the datagram is refused, since UDP need not answer.
        type: str
        choices: [http, tls, tcp, udp]
        required: true
      port:
        description: The port.
        type: int
        required: true
      host:
        description: Name in the TLS handshake. Defaults to O(host); without either, the certificate is not checked.
        type: str
        default: ""
      proxy_protocol:
        description: Whether the listener expects the PROXY protocol.
        type: bool
        default: false
  path:
    description: Path of HTTP requests.
    type: str
    default: /
  host:
    description: Host of HTTP requests; O(address) when empty.
    type: str
    default: ""
  validate_certs:
    description: Whether a certificate must be valid for its name.
    type: bool
    default: true
  ca_certificates:
    description: Certificates (PEM) of additional authorities that clients trust, but this host does not.
    type: str
    default: ""
  request_timeout:
    description: Maximum seconds to wait for one answer.
    type: float
    default: 5
  timeout:
    description: Seconds during which listeners without an answer are retried.
    type: float
    default: 0
attributes:
  check_mode:
    description: Also probes in check mode.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
"""

EXAMPLES = r"""
- name: Ask an entrance
  dualstack.aks.listeners_info:
    address: 203.0.113.10
    listeners:
      - {name: http 80, kind: http, port: 80}
      - {name: tls 443 shop.example.org, kind: tls, port: 443, host: shop.example.org}
    timeout: 60
  delegate_to: a-probe-host
"""

RETURN = r"""
listeners:
  description: C(name), C(answered), C(said), the answer or why there is none, and C(unreachable), whether this host has no route to the address.
  returned: always
  type: list
  elements: dict
answered:
  description: Whether all listeners answered.
  returned: always
  type: bool
silent:
  description: Name of each listener that did not answer, and why.
  returned: always
  type: list
  elements: str
"""

import concurrent.futures
import errno
import http.client
import ipaddress
import select
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

#: seconds that a connection has to stay open, and that a refusal of a datagram may take
_HOLD = 1.0
#: seconds between two rounds
_PAUSE = 2.0


class Silent(Exception):
    """A listener did not answer as it should; the message says what came instead."""


class Client:
    """Asks one address, each listener over a connection of its own."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._address, self._path = str(arguments["address"]), str(arguments["path"])
        self._host, self._timeout = str(arguments["host"]), float(arguments["request_timeout"])
        self._validates, self._authorities = bool(arguments["validate_certs"]), str(arguments["ca_certificates"])

    def ask(self, listener: Mapping[str, Any]) -> dict[str, Any]:
        """The result for one listener."""
        answered, unreachable = False, False
        try:
            said = {"http": self._http, "tls": self._tls, "tcp": self._tcp, "udp": self._udp}[listener["kind"]](listener)
            answered = True
        except Silent as error:
            said = str(error)
        except ssl.SSLCertVerificationError as error:
            said = f"certificate: {error.verify_message}"
        except ssl.SSLError as error:
            said = f"TLS: {error.reason or error}"
        except TimeoutError:
            said = "timed out"
        except (OSError, http.client.HTTPException) as error:
            said, unreachable = str(error) or type(error).__name__, getattr(error, "errno", None) == errno.ENETUNREACH
        return {"name": listener["name"], "answered": answered, "said": said, "unreachable": unreachable}

    def _connection(self, listener: Mapping[str, Any]) -> socket.socket:
        connection = socket.create_connection((self._address, listener["port"]), timeout=self._timeout)
        if listener["proxy_protocol"]:
            (source, source_port, *_rest), (target, target_port, *_rest) = connection.getsockname(), connection.getpeername()
            family = "TCP6" if ":" in target else "TCP4"
            connection.sendall(f"PROXY {family} {source} {target} {source_port} {target_port}\r\n".encode())
        return connection

    def _http(self, listener: Mapping[str, Any]) -> str:
        with self._connection(listener) as connection:
            request = http.client.HTTPConnection(self._address, listener["port"])
            request.sock = connection
            request.request("GET", self._path, headers={"Host": self._host} if self._host else {})
            status = request.getresponse().status
        if status >= 500:
            raise Silent(f"status {status}")
        return f"status {status}"

    def _tls(self, listener: Mapping[str, Any]) -> str:
        # A wildcard's certificate holds for each name right below it.
        name = (listener["host"] or self._host).replace("*", "probe")
        context = ssl.create_default_context()
        # Hardly any client insists on what newer versions of Python do: browsers and curl take an authority without a key usage.
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        if self._authorities:
            context.load_verify_locations(cadata=self._authorities)
        if not name or _is_address(name) or not self._validates:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with self._connection(listener) as connection:
            try:
                with context.wrap_socket(connection, server_hostname=name or None) as session:
                    return str(session.version())
            except ssl.SSLError as error:
                # Whoever refuses a session without a name speaks TLS.
                if not name and str(error.reason).startswith(("TLSV1", "SSLV3_ALERT")):
                    return f"TLS: {error.reason}"
                raise

    def _tcp(self, listener: Mapping[str, Any]) -> str:
        with self._connection(listener) as connection:
            if not _has_come(connection):
                return "open"
            if not connection.recv(1):
                raise Silent("closed at once")
        return "data"

    def _udp(self, listener: Mapping[str, Any]) -> str:
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as datagrams:
            datagrams.connect((self._address, listener["port"]))
            datagrams.send(b"")
            if not _has_come(datagrams):
                return "not refused"
            datagrams.recv(1)
        return "data"


def _has_come(connection: socket.socket) -> bool:
    """Whether data, an end or a refusal has come within the time that a connection has to stay open."""
    return bool(select.select([connection], [], [], _HOLD)[0])


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def asked(client: Client, listeners: list[dict[str, Any]], timeout: float) -> list[dict[str, Any]]:
    """The last result of each listener, in their order."""
    deadline = time.monotonic() + timeout
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        results = list(pool.map(client.ask, listeners))
        rounds = 1
        while (silent := [number for number, result in enumerate(results) if not result["answered"]]) and (rounds < 2 or time.monotonic() < deadline):
            time.sleep(_PAUSE)
            for number, result in pool.map(lambda number: (number, client.ask(listeners[number])), silent):
                results[number] = result
            rounds += 1
    return results


def main() -> None:
    listener = {
        "name": {"type": "str", "required": True},
        "kind": {"type": "str", "choices": ["http", "tls", "tcp", "udp"], "required": True},
        "port": {"type": "int", "required": True},
        "host": {"type": "str", "default": ""},
        "proxy_protocol": {"type": "bool", "default": False},
    }
    module = AnsibleModule(
        argument_spec={
            "address": {"type": "str", "required": True},
            "listeners": {"type": "list", "elements": "dict", "required": True, "options": listener},
            "path": {"type": "str", "default": "/"},
            "host": {"type": "str", "default": ""},
            "validate_certs": {"type": "bool", "default": True},
            "ca_certificates": {"type": "str", "default": ""},
            "request_timeout": {"type": "float", "default": 5},
            "timeout": {"type": "float", "default": 0},
        },
        supports_check_mode=True,
    )
    results = asked(Client(module.params), module.params["listeners"], module.params["timeout"])
    silent = [f"{result['name']}: {result['said']}" for result in results if not result["answered"]]
    module.exit_json(changed=False, listeners=results, answered=not silent, silent=silent)


if __name__ == "__main__":
    main()
