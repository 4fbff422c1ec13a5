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

MAX_AGE_SECONDS = 86400.0
"""An event that nobody could take on for a day is kept with the rejects."""

log = structlog.get_logger()


class ParkedAction(Enum):
    """What to do with a parked copy."""

    DROP = "drop"
    PARK = "park"
    INTAKE_AND_PARK = "intake"


def decide_actions(services: Services, bodies: Sequence[bytes]) -> list[ParkedAction]:
    """Say what becomes of each body of an intake message; what nobody can take on goes to the rejects."""
    copies = [parse_body(body) for body in bodies]
    message_ids = [event.message_id for events in copies for event in events]
    states = dict(zip(message_ids, services.ledger.states(message_ids), strict=True))
    return [
        _decide_action(services, body, events, [states[event.message_id] for event in events])
        for body, events in zip(bodies, copies, strict=True)
    ]


def _decide_action(
    services: Services, body: bytes, events: Sequence[Event], states: Sequence[State | None]
) -> ParkedAction:
    if not events:
        services.ledger.reject(body, "not readable: written by a newer dwgate, or broken")
        return ParkedAction.DROP
    if all(state is not None and state.is_final for state in states):
        return ParkedAction.DROP
    if time.time() - events[0].received_at > MAX_AGE_SECONDS:
        log.error("too-old", message_id=events[0].message_id)
        services.ledger.reject(body, "not taken on within a day")
        return ParkedAction.DROP
    if None in states:
        log.warning("unknown-event", message_id=events[states.index(None)].message_id)
        return ParkedAction.INTAKE_AND_PARK
    return ParkedAction.PARK


def parse_body(body: bytes) -> list[Event]:
    """Return the events of an intake message's body; none when it cannot be read."""
    try:
        args, _, _ = orjson.loads(body)
        return [Event.from_json(raw) for raw in args]
    except (ValueError, KeyError, TypeError) as error:
        log.error("unreadable", error=type(error).__name__)
        return []
