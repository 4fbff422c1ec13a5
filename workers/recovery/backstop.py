"""Decides what to do with a parked copy of events when its delay expires, on either broker.

A copy of finished events is dropped. A copy with an event that is missing in the ledger, lost by Redis or by
the broker, goes through intake again. Any other copy is parked again.
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
"""Age at which an event that intake could not process is stored with the rejects instead."""

log = structlog.get_logger()


class ParkedAction(Enum):
    """What to do with a parked copy."""

    DROP = "drop"
    PARK = "park"
    INTAKE_AND_PARK = "intake"


def decide_actions(services: Services, bodies: Sequence[bytes]) -> list[ParkedAction]:
    """Return the action for each intake message's body; store invalid and expired ones with the rejects."""
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
        services.ledger.reject(body, "unreadable: from a newer dwgate, or corrupt")
        return ParkedAction.DROP
    if all(state is not None and state.is_final for state in states):
        return ParkedAction.DROP
    if time.time() - events[0].received_at > MAX_AGE_SECONDS:
        log.error("parked_event_expired", message_id=events[0].message_id)
        services.ledger.reject(body, "not processed within a day")
        return ParkedAction.DROP
    if None in states:
        log.warning("parked_event_readmitted", message_id=events[states.index(None)].message_id)
        return ParkedAction.INTAKE_AND_PARK
    return ParkedAction.PARK


def parse_body(body: bytes) -> list[Event]:
    """Return the events in the body of an intake message; none if it is invalid."""
    try:
        args, _, _ = orjson.loads(body)
        return [Event.from_json(raw) for raw in args]
    except (ValueError, KeyError, TypeError) as error:
        log.error("message_body_invalid", error=type(error).__name__)
        return []
