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
from workers.recovery.backstop import Fate
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services

POLL_SECONDS = 1.0
BATCH = 200


def run(services: Services, stop: threading.Event) -> None:
    """Look at what is due until `stop` is set; what is still parked after a fault comes again."""
    client = connect(services.settings.broker_url.get_secret_value())
    run_until_stopped(
        lambda: settle(services, client), stop, component="backstop", every=POLL_SECONDS, pause=0
    )
    client.close()


def settle(services: Services, client: redis.Redis) -> None:
    """Drop, leave parked or send through intake each copy that is due."""
    now = time.time()
    bodies = due(client, now)
    if not bodies:
        return
    # First parked anew: who dies here loses nothing, and a second watchdog sees nothing due.
    client.zadd(topology.PARKED, dict.fromkeys(bodies, now + topology.BACKSTOP_SECONDS), xx=True)
    for body, fate in zip(bodies, backstop.judge(services, bodies), strict=True):
        if fate is Fate.DROP:
            client.zrem(topology.PARKED, body)
        elif fate is Fate.INTAKE_AND_PARK:
            services.dispatch.intake(*backstop.read(body))


def due(client: redis.Redis, until: float) -> list[bytes]:
    """Return up to BATCH copies that are due at `until`, in seconds since the epoch."""
    found = client.zrangebyscore(topology.PARKED, "-inf", until, start=0, num=BATCH)
    return [body for body in found if isinstance(body, bytes)]
