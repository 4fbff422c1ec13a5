"""Redis with replicas and three Sentinels that promote one of them, all with TLS and passwords."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import redis

from common.tls import TlsFiles, tls_options
from tests.support.certificates import Authority, KeyPair
from tests.support.engines import PASSWORD, Engine, EngineError, TlsRedis, free_port
from tests.support.running_dwgate import wait_for

MASTER = "shop"
SENTINELS = 3
SENTINEL_PASSWORD = "made-up-for-sentinel"

_DOWN_AFTER_MS = 1000
_FAILOVER_TIMEOUT_MS = 5000


class ReplicatedTlsRedis(TlsRedis):
    """One server of the group.

    Args:
        directory: its data.
        authority: the authority of all certificates.
        pair: its certificate, by which it is also a client of its master.
        min_replicas: replicas without which it refuses writes.
    """

    def __init__(self, directory: Path, authority: Authority, pair: KeyPair, *, min_replicas: int) -> None:
        super().__init__(directory, authority, pair, is_mutual=True)
        self._options |= {
            "tls-replication": "yes",
            "masterauth": PASSWORD,
            "repl-diskless-sync-delay": "0",
            "min-replicas-to-write": str(min_replicas),
            "min-replicas-max-lag": "3",
        }


class _Sentinel(Engine):
    """One Sentinel."""

    def __init__(self, directory: Path, authority: Authority, pair: KeyPair, master_port: int) -> None:
        super().__init__(directory)
        if shutil.which("redis-server") is None:
            raise EngineError("redis-server is not installed: install the package redis-server")
        self.port = free_port()
        (directory / "sentinel.conf").write_text(
            f"port 0\ntls-port {self.port}\nbind 127.0.0.1\ndir {directory}\n"
            f"tls-cert-file {pair.cert_file}\ntls-key-file {pair.key_file}\n"
            f"tls-ca-cert-file {authority.ca_file}\ntls-auth-clients yes\ntls-replication yes\n"
            f"requirepass {SENTINEL_PASSWORD}\nsentinel sentinel-pass {SENTINEL_PASSWORD}\n"
            f"sentinel monitor {MASTER} 127.0.0.1 {master_port} {SENTINELS // 2 + 1}\n"
            f"sentinel auth-pass {MASTER} {PASSWORD}\n"
            f"sentinel down-after-milliseconds {MASTER} {_DOWN_AFTER_MS}\n"
            f"sentinel failover-timeout {MASTER} {_FAILOVER_TIMEOUT_MS}\n"
        )

    def _command(self) -> tuple[list[str], dict[str, str]]:
        return ["redis-server", str(self.directory / "sentinel.conf"), "--sentinel"], {}

    def _answers(self) -> bool:
        return "+monitor" in self.log.read_text()


class SentinelGroup:
    """The servers and their Sentinels.

    Args:
        directory: their data.
        authority: issues their certificates, and that of the clients.
        replicas: number of replicas.
        min_replicas: replicas without which a master refuses writes.

    Attributes:
        servers: the first one is the master at the beginning.
        sentinels: three.
        files: those of a client.
        url: as in the settings; it names all Sentinels.
    """

    def __init__(
        self, directory: Path, authority: Authority, *, replicas: int = 1, min_replicas: int = 0
    ) -> None:
        pair, client = authority.issue("redis", "localhost", "127.0.0.1"), authority.issue("redis-client")
        self.files = TlsFiles(authority.ca_file, client.cert_file, client.key_file)
        self.servers = [
            ReplicatedTlsRedis(_folder(directory, f"redis{i}"), authority, pair, min_replicas=min_replicas)
            for i in range(replicas + 1)
        ]
        self.sentinels = [
            _Sentinel(_folder(directory, f"sentinel{i}"), authority, pair, self.servers[0].port)
            for i in range(SENTINELS)
        ]
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        self.url = (
            f"rediss+sentinel://:{PASSWORD}@{hosts}/0?master={MASTER}&sentinel_password={SENTINEL_PASSWORD}"
        )

    def start(self) -> None:
        """Start all of them, and wait until every Sentinel knows the master, the replicas and the others."""
        for server in self.servers:
            server.start()
        master, *replicas = self.servers
        for replica in replicas:
            with self._client(replica.port) as client:
                client.replicaof("127.0.0.1", master.port)
        wait_for(lambda: self._replicas_in_step(master) == len(replicas), 30)
        for sentinel in self.sentinels:
            sentinel.start()
        wait_for(lambda: all(self._is_ready(sentinel) for sentinel in self.sentinels), 60)

    def close(self) -> None:
        """Stop all of them."""
        for engine in (*self.sentinels, *self.servers):
            engine.close()

    def master(self) -> ReplicatedTlsRedis:
        """Return the server that the Sentinels name as the master."""
        found = self._master_of(next(sentinel for sentinel in self.sentinels if sentinel.running))
        return next(server for server in self.servers if server.port == int(found["port"]))

    def is_whole(self) -> bool:
        """Whether all servers run, and all replicas are in step with the master."""
        if not all(server.running for server in self.servers):
            return False
        try:
            return self._replicas_in_step(self.master()) == len(self.servers) - 1
        except redis.RedisError:
            return False

    def _is_ready(self, sentinel: _Sentinel) -> bool:
        state = self._master_of(sentinel)
        others = int(state["num-other-sentinels"]), int(state["num-slaves"])
        return others == (SENTINELS - 1, len(self.servers) - 1) and state["flags"] == "master"

    def _master_of(self, sentinel: _Sentinel) -> dict[str, Any]:
        with self._client(sentinel.port, SENTINEL_PASSWORD) as client:
            found: dict[str, Any] = client.sentinel_master(MASTER)
            return {**found, "flags": found["flags"]}

    def _replicas_in_step(self, master: ReplicatedTlsRedis) -> int:
        with self._client(master.port) as client:
            seen = client.info("replication")
        replicas = [seen[f"slave{number}"] for number in range(int(seen["connected_slaves"]))]
        return sum(replica["state"] == "online" for replica in replicas)

    def _client(self, port: int, password: str = PASSWORD) -> redis.Redis:
        options = tls_options("rediss://", self.files) or {}
        return redis.Redis(
            port=port, password=password, ssl=True, socket_timeout=5, decode_responses=True, **options
        )


def _folder(directory: Path, name: str) -> Path:
    folder = directory / name
    folder.mkdir(parents=True)
    return folder
