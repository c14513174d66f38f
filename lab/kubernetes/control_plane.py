"""etcd, kube-apiserver, kube-controller-manager, kube-scheduler and the Azure cloud controller of one cluster, on loopback."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import json
import os
import ssl
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ..certificates import CertificateAuthority
from ..ports import free_port
from ..process import Process
from ..supplies import binaries

#: application id of the AKS server in every tenant: the audience of the tokens it takes
AKS_SERVER_APPLICATION = "6dae42f8-4368-4678-94ff-3960e28e3630"


@dataclass
class Ports:
    """Chosen once; the same after a restart of the lab, since kubeconfigs name them."""

    apiserver: int
    etcd: int
    etcd_peer: int
    controller_manager: int
    scheduler: int
    cloud_controller: int

    @classmethod
    def of(cls, folder: Path) -> Ports:
        path = folder / "ports.json"
        if not path.exists():
            path.write_text(json.dumps(asdict(cls(*(free_port() for _ in range(6))))))
        return cls(**json.loads(path.read_text()))


@dataclass
class Entra:
    """What the API server must know to verify the lab's tokens, and the cloud controller to get its own."""

    endpoint: str
    issuer: str
    certificate_authority: Path
    trust_bundle: Path
    identity_endpoint: str
    identity_header: str


@dataclass
class Reach:
    """How the API server and its nodes reach each other where nodes are real."""

    #: the address that nodes and pods reach it at, on its own port
    address: str
    #: Unix socket of the proxy through which it reaches kubelets and aggregated APIs
    egress: Path


class ControlPlane:
    """Starts and stops the components; talks to the API server as an administrator of its own."""

    def __init__(
        self,
        name: str,
        folder: Path,
        service_cidrs: list[str],
        pod_cidrs: list[str],
        cloud_configuration: dict[str, Any],
        entra: Entra,
        reach: Reach | None = None,
        issuer: str = "https://kubernetes.default.svc.cluster.local",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._name = name
        self.folder, self.ports = folder, Ports.of(folder)
        self._service_cidrs, self._pod_cidrs = service_cidrs, pod_cidrs
        self._cloud_configuration, self._entra, self._reach = cloud_configuration, entra, reach
        #: whose tokens service accounts have: AKS' own issuer, where the cluster has it
        self._issuer = issuer
        self._authority = CertificateAuthority(folder / "pki", "lab-kubernetes")
        self._session: aiohttp.ClientSession | None = None
        self._processes: list[Process] = []
        self._cloud_controller: Process | None = None

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.ports.apiserver}"

    @property
    def authority_data(self) -> str:
        return base64.b64encode(self._authority.certificate_path.read_bytes()).decode()

    async def start(self) -> None:
        """Start etcd, API server, controllers and scheduler; stop all again when one fails."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def restart(self, service_cidrs: list[str], pod_cidrs: list[str]) -> None:
        """Start all but etcd again, with other ranges; nothing happens when they are the same."""
        if (service_cidrs, pod_cidrs) == (self._service_cidrs, self._pod_cidrs):
            return
        self._service_cidrs, self._pod_cidrs = service_cidrs, pod_cidrs
        while len(self._processes) > 1:
            # Watchers keep an API server from ending; AKS has another one for them meanwhile.
            await self._processes.pop().stop(timeout=1)
        await self._start_servers()

    async def _start(self) -> None:
        pki, ports = self.folder / "pki", self.ports
        self._kubeconfig("administrator", "lab-administrator", "system:masters")
        self._service_account_key(pki)
        self._authentication_configuration()
        context = ssl.create_default_context(cafile=str(self._authority.certificate_path))
        context.load_cert_chain(pki / "administrator.pem", pki / "administrator.key")
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))
        etcd = f"http://127.0.0.1:{ports.etcd}"
        await self._run(
            "etcd",
            {
                "data-dir": self.folder / "etcd",
                "listen-client-urls": etcd,
                "advertise-client-urls": etcd,
                "listen-peer-urls": f"http://127.0.0.1:{ports.etcd_peer}",
                "unsafe-no-fsync": "true",
                "log-level": "warn",
            },
            lambda: self._answers(f"{etcd}/health"),
        )
        await self._start_servers()

    async def _start_servers(self) -> None:
        pki, ports = self.folder / "pki", self.ports
        first_services = tuple(str(ipaddress.ip_network(prefix)[1]) for prefix in self._service_cidrs)
        hosts = ("127.0.0.1", "localhost", "kubernetes.default.svc", *first_services, *((self._reach.address,) if self._reach else ()))
        # A certificate for each number of families.
        server, server_key = self._authority.issue(f"apiserver-{len(first_services)}", "kube-apiserver", hosts=hosts)
        await self._run(
            "kube-apiserver",
            {
                "etcd-servers": f"http://127.0.0.1:{ports.etcd}",
                "bind-address": "127.0.0.1",
                "secure-port": ports.apiserver,
                "tls-cert-file": server,
                "tls-private-key-file": server_key,
                "client-ca-file": self._authority.certificate_path,
                "requestheader-client-ca-file": self._authority.certificate_path,
                "requestheader-allowed-names": "front-proxy-client",
                "requestheader-username-headers": "X-Remote-User",
                "requestheader-group-headers": "X-Remote-Group",
                "requestheader-extra-headers-prefix": "X-Remote-Extra-",
                "service-account-issuer": self._issuer,
                "service-account-key-file": pki / "service-account.pub",
                "service-account-signing-key-file": pki / "service-account.key",
                "service-cluster-ip-range": ",".join(self._service_cidrs),
                "authorization-mode": "Node,RBAC",
                "authentication-config": self.folder / "authentication.yaml",
                **self._reach_flags(),
            },
            lambda: self._answers(f"{self.server}/readyz"),
        )
        cluster_cidr = ",".join(self._pod_cidrs)
        await asyncio.gather(
            self._run(
                "kube-controller-manager",
                {
                    "kubeconfig": self._kubeconfig("controller-manager", "system:kube-controller-manager"),
                    "bind-address": "127.0.0.1",
                    "secure-port": ports.controller_manager,
                    "leader-elect": "false",
                    "allocate-node-cidrs": "false",
                    "cluster-cidr": cluster_cidr,
                    "service-cluster-ip-range": ",".join(self._service_cidrs),
                    "service-account-private-key-file": pki / "service-account.key",
                    "root-ca-file": self._authority.certificate_path,
                    "use-service-account-credentials": "true",
                    # 15 s in AKS, which every first proxy of a family would wait for.
                    "horizontal-pod-autoscaler-sync-period": "5s",
                    # Without kubelets nothing keeps nodes Ready.
                    **({} if self._reach else {"controllers": "*,-node-lifecycle-controller"}),
                },
            ),
            self._run(
                "kube-scheduler",
                {
                    "kubeconfig": self._kubeconfig("scheduler", "system:kube-scheduler"),
                    "bind-address": "127.0.0.1",
                    "secure-port": ports.scheduler,
                    "leader-elect": "false",
                },
            ),
        )

    def _reach_flags(self) -> dict[str, Any]:
        """Flags for the connections between API server and nodes, which exist only with packets."""
        if self._reach is None:
            # An address for the endpoints of the Service kubernetes; nothing is reached there, and nothing writes it.
            return {"advertise-address": "192.0.2.1", "endpoint-reconciler-type": "none"}
        selection = {
            "apiVersion": "apiserver.k8s.io/v1beta1",
            "kind": "EgressSelectorConfiguration",
            "egressSelections": [
                {"name": "cluster", "connection": {"proxyProtocol": "HTTPConnect", "transport": {"uds": {"udsName": str(self._reach.egress)}}}}
            ],
        }
        path = self.folder / "egress.yaml"
        path.write_text(yaml.safe_dump(selection))
        kubelet, kubelet_key = self._authority.issue("apiserver-kubelet", "lab-apiserver-kubelet", organisation="system:masters")
        proxy, proxy_key = self._authority.issue("front-proxy", "front-proxy-client")
        return {
            "advertise-address": self._reach.address,
            "egress-selector-config-file": path,
            "kubelet-client-certificate": kubelet,
            "kubelet-client-key": kubelet_key,
            "kubelet-preferred-address-types": "InternalIP",
            "enable-aggregator-routing": "true",
            "proxy-client-cert-file": proxy,
            "proxy-client-key-file": proxy_key,
        }

    def node_kubeconfig(self, name: str) -> Path:
        """The identity of a node's kubelet."""
        return self._kubeconfig(f"node-{name}", f"system:node:{name}", "system:nodes", server=self._node_server)

    def proxy_kubeconfig(self) -> Path:
        """The identity that every kube-proxy has."""
        return self._kubeconfig("kube-proxy", "system:kube-proxy", server=self._node_server)

    @property
    def _node_server(self) -> str:
        assert self._reach is not None
        return f"https://{self._reach.address}:{self.ports.apiserver}"

    @property
    def certificate_authority(self) -> Path:
        return self._authority.certificate_path

    @property
    def service_account_key(self) -> bytes:
        """The public key of service accounts' tokens, as AKS publishes it at its issuer."""
        return (self.folder / "pki" / "service-account.pub").read_bytes()

    async def start_cloud_controller(self) -> None:
        """Start the cloud controller; it reads the nodes and their VMs, so they come first."""
        if self._cloud_controller and self._cloud_controller.running:
            return
        configuration = self.folder / "azure.json"
        configuration.write_text(json.dumps(self._cloud_configuration, indent=2))
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "IDENTITY_ENDPOINT": self._entra.identity_endpoint,
            "IDENTITY_HEADER": self._entra.identity_header,
            "SSL_CERT_FILE": str(self._entra.trust_bundle),
        }
        self._cloud_controller = await self._run(
            binaries.CLOUD_CONTROLLER,
            {
                "kubeconfig": self._kubeconfig("cloud-controller-manager", "lab-cloud-controller-manager", "system:masters"),
                "cloud-provider": "azure",
                "cloud-config": configuration,
                "controllers": "*,-cloud-node-controller",
                "configure-cloud-routes": "false",
                "allocate-node-cidrs": "false",
                "cluster-name": "kubernetes",
                "leader-elect": "false",
                "bind-address": "127.0.0.1",
                "secure-port": self.ports.cloud_controller,
                "v": 2,
            },
            environment=environment,
        )

    async def _run(self, name: str, flags: dict[str, Any], healthy: Any = None, environment: dict[str, str] | None = None) -> Process:
        arguments = [str(binaries.path_of(name)), *(f"--{flag}={value}" for flag, value in flags.items())]
        process = Process(name, arguments, self.folder / f"{name}.log", healthy, environment)
        self._processes.append(process)
        await process.start()
        return process

    async def stop(self) -> None:
        """Stop in reverse: an API server without its etcd does not end, and keeps its port."""
        while self._processes:
            await self._processes.pop().stop()
        if self._session:
            await self._session.close()
            self._session = None

    async def _answers(self, url: str) -> bool:
        assert self._session is not None
        try:
            async with self._session.get(url, timeout=aiohttp.ClientTimeout(2)) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def call(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> tuple[int, Any]:
        """One request to the API server as its administrator: status and decoded answer."""
        assert self._session is not None
        data = json.dumps(body) if body is not None else None
        async with self._session.request(method, f"{self.server}{path}", data=data, headers={"Content-Type": content_type}) as answer:
            return answer.status, await answer.json(content_type=None)

    async def watch(self, path: str, objects: dict[str, Any], changed: Callable[[], object]) -> None:
        """Keep ``objects`` (uid -> object) as a collection is stored, and call ``changed`` after each change, until it is cancelled."""
        assert self._session is not None
        while True:
            try:
                _, listed = await self.call("GET", path)
                objects.clear()
                objects.update({item["metadata"]["uid"]: item for item in listed["items"]})
                changed()
                url = f"{self.server}{path}?watch=true&resourceVersion={listed['metadata']['resourceVersion']}"
                async with self._session.get(url, timeout=aiohttp.ClientTimeout(), read_bufsize=2**20) as answer:
                    async for line in answer.content:
                        event = json.loads(line)
                        if event["type"] == "ERROR":
                            break
                        key = event["object"]["metadata"]["uid"]
                        if event["type"] == "DELETED":
                            objects.pop(key, None)
                        else:
                            objects[key] = event["object"]
                        changed()
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(1)

    async def apply(self, path: str, body: dict[str, Any]) -> None:
        """Server-side apply as the field manager ``lab``."""
        await self._patch(f"{path}?fieldManager=lab&force=true", body, "application/apply-patch+yaml")

    async def merge(self, path: str, body: dict[str, Any]) -> None:
        """JSON merge patch (RFC 7386)."""
        await self._patch(path, body, "application/merge-patch+json")

    async def _patch(self, path: str, body: dict[str, Any], content_type: str) -> None:
        status, answer = await self.call("PATCH", path, body, content_type)
        if status >= 400:
            raise RuntimeError(f"{path}: {answer.get('message')}")

    def _service_account_key(self, pki: Path) -> None:
        path = pki / "service-account.key"
        if path.exists():
            return
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        path.touch(mode=0o600)
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        (pki / "service-account.pub").write_bytes(public)

    def _authentication_configuration(self) -> None:
        """Entra tokens by structured authentication; a caller is known by its object id, as in AKS."""
        issuer = {
            "url": self._entra.issuer,
            "audiences": [AKS_SERVER_APPLICATION],
            "certificateAuthority": self._entra.certificate_authority.read_text(),
        }
        mappings = {"username": {"claim": "oid", "prefix": ""}, "uid": {"claim": "oid"}}
        configuration = {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "AuthenticationConfiguration",
            "jwt": [{"issuer": issuer, "claimMappings": mappings}],
            "anonymous": {"enabled": False},
        }
        (self.folder / "authentication.yaml").write_text(yaml.safe_dump(configuration))

    def _kubeconfig(self, file: str, common_name: str, organisation: str = "", server: str = "") -> Path:
        certificate, key = self._authority.issue(file, common_name, organisation=organisation)
        path = self.folder / f"{file}.kubeconfig"
        cluster = {"server": server or self.server, "certificate-authority": str(self._authority.certificate_path)}
        user = {"client-certificate": str(certificate), "client-key": str(key)}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": self._name, "cluster": cluster}],
            "users": [{"name": file, "user": user}],
            "contexts": [{"name": self._name, "context": {"cluster": self._name, "user": file}}],
            "current-context": self._name,
        }
        path.write_text(yaml.safe_dump(document))
        return path
