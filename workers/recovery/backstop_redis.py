"""The broker's half of the watch on Redis: parked copies of events, in a sorted set by when they are due.

A list gives a message to a worker before the worker has noted it as unacknowledged: what dies in between,
worker or Redis, takes the message with it. Its copy brings it back.
"""

from __future__ import annotations

import threading
import time

import redis

from common import topology
from common.ledger import connect
from workers.recovery import backstop
from workers.recovery.backstop import ParkedAction
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services

POLL_SECONDS = 1.0
BATCH = 200


def run(services: Services, stop: threading.Event) -> None:
    """Look at what is due until `stop` is set; what is still parked after a fault comes again."""
    client = connect(services.settings.broker_url.get_secret_value())
    run_until_stopped(
        lambda: process_due(services, client), stop, component="backstop", every=POLL_SECONDS, pause=0
    )
    client.close()


def process_due(services: Services, client: redis.Redis) -> None:
    """Drop, leave parked or send through intake each copy that is due."""
    now = time.time()
    bodies = due_bodies(client, now)
    if not bodies:
        return
    # First parked anew: who dies here loses nothing, and a second watchdog sees nothing due.
    client.zadd(topology.PARKED, dict.fromkeys(bodies, now + topology.BACKSTOP_SECONDS), xx=True)
    for body, fate in zip(bodies, backstop.decide_actions(services, bodies), strict=True):
        if fate is ParkedAction.DROP:
            client.zrem(topology.PARKED, body)
        elif fate is ParkedAction.INTAKE_AND_PARK:
            services.dispatch.send_events(*backstop.parse_body(body))


def due_bodies(client: redis.Redis, due_before: float) -> list[bytes]:
    """Return up to BATCH copies that are due at `due_before`, in seconds since the epoch."""
    found = client.zrangebyscore(topology.PARKED, "-inf", due_before, start=0, num=BATCH)
    return [body for body in found if isinstance(body, bytes)]
