"""The backstop on Redis: parked copies of events, in a sorted set by due time.

A worker pops a message from a list before it stores it as unacknowledged: if the worker or Redis dies in
between, the message is lost. Its parked copy brings the event back.
"""

from __future__ import annotations

import threading

import redis

from common import clock
from common.ledger import connect
from common.topology import BACKSTOP_SECONDS
from workers.recovery import backstop
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services

POLL_SECONDS = 1.0
BATCH = 200


def run(services: Services, stop: threading.Event) -> None:
    """Process due copies until `stop` is set; copies that remain parked after a fault are due again."""
    client = connect(services.settings.broker_url.get_secret_value(), tls=services.settings.tls_files)
    run_until_stopped(
        lambda: process_due(services, client), stop, component="backstop", every=POLL_SECONDS, pause=0
    )
    client.close()


def process_due(services: Services, client: redis.Redis) -> None:
    """Admit the events of due copies that the ledger does not know; drop each copy or leave it parked."""
    now, parked = clock.now(), services.settings.topology.parked
    while bodies := due_bodies(client, parked, now):
        # Park them again first, so that a crash here loses nothing and another watchdog finds nothing due.
        client.zadd(parked, dict.fromkeys(bodies, now + BACKSTOP_SECONDS), xx=True)
        keep = backstop.settle(services, bodies)
        if finished := [body for body, is_kept in zip(bodies, keep, strict=True) if not is_kept]:
            client.zrem(parked, *finished)


def due_bodies(client: redis.Redis, parked: str, due_before: float) -> list[bytes]:
    """Return up to BATCH copies in the set `parked` that are due at `due_before`, in epoch seconds."""
    found = client.zrangebyscore(parked, "-inf", due_before, start=0, num=BATCH)
    return [body for body in found if isinstance(body, bytes)]
