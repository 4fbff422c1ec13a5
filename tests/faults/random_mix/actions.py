"""Does the faults of a mix to a running fleet, and undoes them."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import redis
from kombu import Connection
from kombu.exceptions import OperationalError

from common.topology import TASK_QUEUES
from tests.faults.random_mix.plan import Kind, PlannedFault, Target
from tests.support.engines import RabbitMQ, Valkey
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import RunningDwgate

_OPENAPI = {
    Kind.OPENAPI_THROTTLED: "throttle",
    Kind.OPENAPI_ERROR: "error",
    Kind.OPENAPI_RESET: "reset",
    Kind.OPENAPI_LOST: "lost",
    Kind.OPENAPI_SLOW: "hang",
}
_GARBAGE = (b"", b"42", b"null", b"{}", b'"text"', b"[[1],{},{}]", b"\x80\x04K*.", b"{" * 2000)


class Saboteur:
    """Does faults to a fleet.

    Args:
        gate: the fleet; its first two workers are those of the plan.
        valkey: its Redis.
        rabbitmq: its broker; None on the embedded engine, where Redis is the broker.
    """

    def __init__(self, gate: RunningDwgate, valkey: Valkey, rabbitmq: RabbitMQ | None) -> None:
        self._gate = gate
        self._valkey = valkey
        self._rabbitmq = rabbitmq

    def inflict(self, fault: PlannedFault) -> None:
        """Do a fault, wait for its duration, and undo it; return when its target runs again."""
        if fault.target in {Target.WORKER_1, Target.WORKER_2}:
            self._to_worker(fault, 0 if fault.target is Target.WORKER_1 else 1)
        elif fault.target is Target.INGEST:
            self._to_ingest(fault)
        elif fault.target is Target.REDIS:
            self._to_redis(fault)
        elif fault.target is Target.BROKER:
            self._to_broker(fault)
        elif fault.target is Target.QUEUES:
            self._publish_garbage()
        else:
            self._to_dataworks(fault)

    def _to_worker(self, fault: PlannedFault, number: int) -> None:
        gate, worker = self._gate, self._gate.workers[number]
        if fault.kind is Kind.PAUSE_WORKER:
            gate.signal_all(worker, signal.SIGSTOP)
            time.sleep(fault.seconds)
            gate.signal_all(worker, signal.SIGCONT)
        elif fault.kind is Kind.KILL_CHILD:
            children = psutil.Process(worker.pid).children(recursive=True)
            if children:
                children[int(fault.choice * len(children))].kill()
        else:
            if fault.kind is Kind.KILL_WORKER:
                gate.kill(worker)
            else:
                worker.terminate()
            # It is appended; the plan's place is taken by the new one.
            gate.workers[number] = gate.start_worker(ready=False)
            gate.workers.pop()
            gate.workers.append(worker)

    def _to_ingest(self, fault: PlannedFault) -> None:
        ingest = self._gate.ingest
        assert ingest
        ingest.send_signal(signal.SIGKILL if fault.kind is Kind.KILL_INGEST else signal.SIGTERM)
        ingest.wait(30)
        self._gate.start_ingest(ready=False)

    def _to_redis(self, fault: PlannedFault) -> None:
        if fault.kind is Kind.PAUSE_REDIS:
            self._valkey.stop_process()
            time.sleep(fault.seconds)
            self._valkey.resume()
        elif fault.kind is Kind.KILL_REDIS:
            self._valkey.kill()
            time.sleep(fault.seconds)
            self._valkey.start()
        elif fault.kind is Kind.REDIS_FULL:
            with self._redis() as client:
                client.config_set("maxmemory", 1)
                time.sleep(fault.seconds)
                client.config_set("maxmemory", 0)
        else:
            with self._redis() as client:
                client.replicaof("127.0.0.1", 1)
                time.sleep(fault.seconds)
                client.replicaof("NO", "ONE")

    @contextmanager
    def _redis(self) -> Iterator[redis.Redis]:
        client = redis.Redis.from_url(self._valkey.url, socket_timeout=10)
        try:
            yield client
        finally:
            client.close()

    def _to_broker(self, fault: PlannedFault) -> None:
        broker = self._rabbitmq
        assert broker
        if fault.kind is Kind.PAUSE_BROKER:
            broker.stop_process()
            time.sleep(fault.seconds)
            broker.resume()
        elif fault.kind is Kind.KILL_BROKER:
            broker.kill()
            time.sleep(fault.seconds)
            broker.start()
        else:
            broker.set_alarm(is_on=True)
            time.sleep(fault.seconds)
            broker.set_alarm(is_on=False)

    def _publish_garbage(self) -> None:
        """Publish bodies that are no task to every queue; not if the broker is unavailable just now."""
        try:
            with Connection(self._gate.environment["DWGATE_BROKER_URL"], connect_timeout=2) as connection:
                producer = connection.Producer()
                for queue in TASK_QUEUES:
                    for body in _GARBAGE:
                        producer.publish(
                            body,
                            exchange="",
                            routing_key=TOPOLOGY[queue].name,
                            content_type="application/json",
                            content_encoding="utf-8",
                        )
        except (OSError, OperationalError, redis.RedisError):
            return

    def _to_dataworks(self, fault: PlannedFault) -> None:
        times = 1 + int(fault.choice * 5)
        self._gate.emulator.fault(_OPENAPI[fault.kind], times=times, seconds=fault.seconds)
