"""What becomes of a parked copy of events that is due, whichever broker parked it.

What ended by then is dropped; what the ledger does not know (it or the broker lost it) goes through intake
again; the rest is parked once more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import Enum

import orjson
import structlog

from common.events import Event
from common.ledger import State
from workers.services import Services

OLDEST_SECONDS = 86400.0
"""An event that nobody could take on for a day is kept with the rejects."""

log = structlog.get_logger()


class Fate(Enum):
    """What to do with a parked copy."""

    DROP = "drop"
    PARK = "park"
    INTAKE_AND_PARK = "intake"


def judge(services: Services, bodies: Sequence[bytes]) -> list[Fate]:
    """Say what becomes of each body of an intake message; what nobody can take on goes to the rejects."""
    copies = [read(body) for body in bodies]
    message_ids = [event.message_id for events in copies for event in events]
    states = dict(zip(message_ids, services.ledger.state(message_ids), strict=True))
    return [
        _judge(services, body, events, [states[event.message_id] for event in events])
        for body, events in zip(bodies, copies, strict=True)
    ]


def _judge(services: Services, body: bytes, events: Sequence[Event], states: Sequence[State | None]) -> Fate:
    if not events:
        services.ledger.reject(body, "not readable: written by a newer dwgate, or broken")
        return Fate.DROP
    if all(state is not None and state.ended for state in states):
        return Fate.DROP
    if time.time() - events[0].received_at > OLDEST_SECONDS:
        log.error("too-old", message_id=events[0].message_id)
        services.ledger.reject(body, "not taken on within a day")
        return Fate.DROP
    if None in states:
        log.warning("unknown-event", message_id=events[states.index(None)].message_id)
        return Fate.INTAKE_AND_PARK
    return Fate.PARK


def read(body: bytes) -> list[Event]:
    """Return the events of an intake message's body; none when it cannot be read."""
    try:
        args, _, _ = orjson.loads(body)
        return [Event.from_json(raw) for raw in args]
    except (ValueError, KeyError, TypeError) as error:
        log.error("unreadable", error=type(error).__name__)
        return []
