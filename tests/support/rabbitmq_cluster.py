"""RabbitMQ nodes as a cluster, each in a network namespace, whose links tests can cut.

with Cluster.create(directory) as cluster:
    cluster.start()
    cluster.cut(0, 1)
    cluster.heal()

Linux and root only. Nodes have addresses on a bridge of their own. Clients connect to `cluster.node_urls`,
which name all nodes, or to `cluster.url`, a load balancer on loopback that relays each connection to a node
that accepts it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson

from tests.support.certificates import Authority
from tests.support.engines import Engine, EngineError, speaks_amqp
from tests.support.rabbitmq_installation import Installation, find_system_rabbitmq
from tests.support.tcp_relay import TcpRelay

SIZE = 3
AMQP_PORT = 5672
AMQPS_PORT = 5671
TICK_SECONDS = 5
"""A node considers another one as down after this time without an answer, give or take a quarter."""

MEMORY_LIMIT = "400MB"
"""A node blocks publishers above it."""

_CONNECT_SECONDS = 1.0
_CONTROL_SECONDS = 180
_STOP_SECONDS = 90
_SUBNETS = range(77, 255)


class NamespaceError(RuntimeError):
    """This machine does not permit network namespaces."""


class Balancer(TcpRelay):
    """Relays each connection to a host that accepts it, beginning with the one after the last.

    Args:
        hosts: addresses of the nodes.
        port: their common port.
    """

    def __init__(self, hosts: Sequence[str], port: int) -> None:
        super().__init__(port)
        self._hosts = hosts
        self._next = 0

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for _ in self._hosts:
            host = self._hosts[self._next]
            self._next = (self._next + 1) % len(self._hosts)
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection(host, self.target)
            except OSError:
                continue
        raise ConnectionRefusedError


class Node(Engine):
    """A node of the cluster, and its epmd.

    Args:
        directory: of the node.
        namespace: its network namespace.
        host: its address.
        shared: directory of the configuration and the cookie of all nodes.
        installation: the RabbitMQ that it runs.
    """

    start_seconds = 240.0

    def __init__(
        self, directory: Path, namespace: str, host: str, shared: Path, installation: Installation
    ) -> None:
        super().__init__(directory)
        self._installation = installation
        self.namespace = namespace
        self.host = host
        self.name = f"r@{host}"
        self._shared = shared
        self._url = f"amqp://guest:guest@{host}:{AMQP_PORT}/%2F"
        self._epmd: subprocess.Popen[bytes] | None = None

    @property
    def is_serving(self) -> bool:
        """Whether it accepts AMQP; a node that has paused itself does not, although its process runs."""
        return speaks_amqp(self._url)

    def start(self) -> None:
        """Start the node, and its epmd unless it runs, and wait until it accepts AMQP."""
        if self._epmd is None:
            self._epmd = subprocess.Popen(
                self._in_namespace("epmd"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        super().start()

    def stop(self) -> None:
        """Stop the node in order, as for an upgrade, and wait until its process has ended."""
        assert self._process
        self._signal(signal.SIGTERM)
        self._process.wait(_STOP_SECONDS)

    def close(self) -> None:
        """Stop the node, its epmd and whatever else runs in its namespace."""
        super().close()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()
        for pid in _ip("netns", "pids", self.namespace).split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                continue

    def control(self, *arguments: str) -> Any:
        """Run `rabbitmqctl` with `arguments`, and return what it prints as JSON."""
        answer = subprocess.run(
            self._in_namespace("rabbitmqctl", "--quiet", "--formatter=json", *arguments),
            env={**os.environ, **self._environment()},
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=True,
            timeout=_CONTROL_SECONDS,
        )
        return orjson.loads(answer.stdout)

    def count_cut_packets(self) -> int:
        """Return the number of packets that it could not send because a link was cut."""
        text = _run("ip", "netns", "exec", self.namespace, "cat", "/proc/net/snmp")
        names, values = (line.split() for line in text.splitlines() if line.startswith("Ip:"))
        return int(values[names.index("OutNoRoutes")])

    def _command(self) -> tuple[list[str], dict[str, str]]:
        return self._in_namespace("rabbitmq-server"), self._environment()

    def _in_namespace(self, program: str, *arguments: str) -> list[str]:
        return ["ip", "netns", "exec", self.namespace, *self._installation.command(program, *arguments)]

    def _environment(self) -> dict[str, str]:
        own, shared = str(self.directory), str(self._shared)
        return {
            "HOME": shared,
            "RABBITMQ_USE_LONGNAME": "true",
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_DIST_PORT": "25672",
            "RABBITMQ_MNESIA_BASE": f"{own}/data",
            "RABBITMQ_LOG_BASE": f"{own}/log",
            "RABBITMQ_PID_FILE": f"{own}/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{shared}/plugins",
            "RABBITMQ_CONFIG_FILE": f"{shared}/rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": f"{shared}/none",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"+S 1:1 -kernel net_ticktime {TICK_SECONDS}",
            "LANG": "C.UTF-8",
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _answers(self) -> bool:
        return self.is_serving


class Cluster:
    """The nodes and the load balancer in front of them.

    Attributes:
        nodes: the links between them can be cut, those to the clients cannot.
        url: of the load balancer.
        node_urls: of all nodes, as in the setting; with TLS if there is an authority.
    """

    def __init__(self, nodes: Sequence[Node], *, has_tls: bool = False) -> None:
        self.nodes = nodes
        self.url = ""
        scheme, port = ("amqps", AMQPS_PORT) if has_tls else ("amqp", AMQP_PORT)
        self.node_urls = ";".join(f"{scheme}://guest:guest@{node.host}:{port}/%2F" for node in nodes)
        self._balancer = Balancer([node.host for node in nodes], AMQP_PORT)
        self._cut: set[tuple[int, int]] = set()
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def create(
        cls,
        directory: Path,
        *,
        size: int = SIZE,
        installation: Installation | None = None,
        authority: Authority | None = None,
    ) -> Iterator[Cluster]:
        """Create the network of a cluster; at the end, stop all nodes and delete it.

        Args:
            directory: of the nodes, below the temporary folder.
            size: number of nodes.
            installation: the RabbitMQ to run; by default the system's.
            authority: issues the nodes' certificates; clients need one of it, too. None for no TLS.

        Raises:
            NamespaceError: network namespaces are not permitted here.
            EngineError: RabbitMQ is not installed.
        """
        installation = installation or find_system_rabbitmq()
        with _network(size) as (bridge, hosts):
            _configure(directory, hosts, authority)
            nodes = []
            with ExitStack() as stack:
                for number, host in enumerate(hosts):
                    folder = directory / f"node{number}"
                    folder.mkdir()
                    nodes.append(Node(folder, f"{bridge}-{number}", host, directory, installation))
                    stack.callback(nodes[-1].close)
                cluster = cls(nodes, has_tls=authority is not None)
                stack.callback(cluster._close_balancer)
                yield cluster

    def start(self) -> None:
        """Start all nodes, and wait until they have formed a cluster and serve."""
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            list(pool.map(lambda node: node.start(), self.nodes))
        for node in self.nodes:
            running = node.control("cluster_status")["running_nodes"]
            if len(running) != len(self.nodes):
                raise EngineError(f"{node.name} has not joined the cluster: it knows {running}")
        self._balancer.start()
        self.url = f"amqp://guest:guest@127.0.0.1:{self._balancer.port}/%2F"

    def cut(self, one: int, other: int) -> None:
        """Cut the link between two nodes, in both directions; nothing if it is cut."""
        with self._lock:
            for source, target in ((one, other), (other, one)):
                if (source, target) not in self._cut:
                    self._route("add", source, target)
                    self._cut.add((source, target))

    def isolate(self, number: int) -> None:
        """Cut the links between a node and all others."""
        for other in range(len(self.nodes)):
            if other != number:
                self.cut(number, other)

    def heal(self) -> None:
        """Restore all links."""
        with self._lock:
            for source, target in sorted(self._cut):
                self._route("del", source, target)
            self._cut.clear()

    def is_whole(self) -> bool:
        """Whether all nodes serve and all queues have all their members online."""
        if not all(node.is_serving for node in self.nodes):
            return False
        try:
            queues = self.quorum_queues()
        except subprocess.SubprocessError:
            return False
        return all(len(queue["online"]) == len(queue["members"]) == len(self.nodes) for queue in queues)

    def quorum_queues(self) -> list[dict[str, Any]]:
        """Return name, leader, members and online members of each quorum queue, as the first node sees it."""
        queues = self.nodes[0].control("list_queues", "name", "type", "leader", "members", "online")
        return [queue for queue in queues if queue["type"] == "quorum"]

    def leader_of(self, queue: str) -> int:
        """Return the number of the node that leads a queue."""
        [leader] = [found["leader"] for found in self.quorum_queues() if found["name"] == queue]
        return [node.name for node in self.nodes].index(leader)

    def count_cut_packets(self) -> int:
        """Return the number of packets between nodes that were not sent because a link was cut."""
        return sum(node.count_cut_packets() for node in self.nodes)

    def _route(self, action: str, source: int, target: int) -> None:
        node, host = self.nodes[source], self.nodes[target].host
        _ip("-n", node.namespace, "route", action, "blackhole", f"{host}/32")

    def _close_balancer(self) -> None:
        if self.url:
            self._balancer.close()


@contextmanager
def _network(size: int) -> Iterator[tuple[str, list[str]]]:
    """Create a bridge and a namespace per node; yield the bridge's name and the nodes' addresses."""
    number, bridge = _create_bridge()
    hosts = [f"10.231.{number}.{last}" for last in range(1, size + 1)]
    try:
        try:
            _ip("address", "add", f"10.231.{number}.254/24", "dev", bridge)
            _ip("link", "set", bridge, "up")
            for index, host in enumerate(hosts):
                _add_namespace(bridge, f"{bridge}-{index}", f"{bridge}v{index}", host)
        except subprocess.CalledProcessError as error:
            raise NamespaceError(f"no network namespaces: {error.stderr.strip()}") from error
        yield bridge, hosts
    finally:
        present = {line.split()[0] for line in _ip("netns", "list").splitlines() if line}
        for index in range(size):
            if f"{bridge}-{index}" in present:
                _ip("netns", "delete", f"{bridge}-{index}")
        _ip("link", "delete", bridge)


def _create_bridge() -> tuple[int, str]:
    """Create a bridge that does not exist, as parallel runs have theirs; return its number and name."""
    for number in _SUBNETS:
        name = f"dwgate-mq{number}"
        try:
            _ip("link", "add", name, "type", "bridge")
        except FileNotFoundError as error:
            raise NamespaceError("no network namespaces: the command ip is missing") from error
        except subprocess.CalledProcessError as error:
            if "File exists" not in error.stderr:
                raise NamespaceError(f"no network namespaces: {error.stderr.strip()}") from error
        else:
            return number, name
    raise NamespaceError("no bridge is free")


def _add_namespace(bridge: str, namespace: str, device: str, host: str) -> None:
    _ip("netns", "add", namespace)
    _ip("link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    _ip("link", "set", device, "master", bridge, "up")
    _ip("-n", namespace, "address", "add", f"{host}/24", "dev", "eth0")
    _ip("-n", namespace, "link", "set", "eth0", "up")
    _ip("-n", namespace, "link", "set", "lo", "up")


def _configure(directory: Path, hosts: Sequence[str], authority: Authority | None) -> None:
    """Write the files that all nodes share."""
    cookie = directory / ".erlang.cookie"
    cookie.write_text("made-up")
    cookie.chmod(0o400)
    (directory / "plugins").write_text("[].\n")
    lines = [
        "loopback_users = none",
        "cluster_partition_handling = pause_minority",
        "queue_leader_locator = balanced",
        f"vm_memory_high_watermark.absolute = {MEMORY_LIMIT}",
        "disk_free_limit.absolute = 50MB",
        "cluster_formation.peer_discovery_backend = classic_config",
        *(f"cluster_formation.classic_config.nodes.{i} = r@{host}" for i, host in enumerate(hosts, 1)),
    ]
    if authority:
        pair = authority.issue("nodes", *hosts)
        # With a root of their own the nodes see this folder, but perhaps not that of the authority.
        for file in (authority.ca_file, pair.cert_file, pair.key_file):
            shutil.copy(file, directory / file.name)
        lines += [
            f"listeners.ssl.default = {AMQPS_PORT}",
            f"ssl_options.cacertfile = {directory / authority.ca_file.name}",
            f"ssl_options.certfile = {directory / pair.cert_file.name}",
            f"ssl_options.keyfile = {directory / pair.key_file.name}",
            "ssl_options.verify = verify_peer",
            "ssl_options.fail_if_no_peer_cert = true",
        ]
    (directory / "rabbitmq.conf").write_text("\n".join(lines) + "\n")


def _ip(*arguments: str) -> str:
    return _run("ip", *arguments)


def _run(*command: str) -> str:
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_CONTROL_SECONDS)
    return answer.stdout
