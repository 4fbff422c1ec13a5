"""Decides what to do with a parked copy of events when its delay expires, on either broker.

A copy of finished events is dropped. A copy with an event that is missing in the ledger, lost by Redis or by
the broker, goes through intake again. Any other copy is parked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import structlog

from common import clock
from common.ledger import State
from common.topology import QueueName
from workers.messages.events import ReadEvents, read_body
from workers.messages.refused import refuse
from workers.messages.task_message import MessageInvalid
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
    copies = [_read_copy(services, body) for body in bodies]
    message_ids = [event.message_id for read in copies for event in read.events]
    states = dict(zip(message_ids, services.ledger.states(message_ids), strict=True))
    return [
        _decide_action(services, body, read, [states[event.message_id] for event in read.events])
        for body, read in zip(bodies, copies, strict=True)
    ]


def _read_copy(services: Services, body: bytes) -> ReadEvents:
    """Return what is in a copy; if nothing can be read, store it with the rejects."""
    try:
        read = read_body(body)
    except MessageInvalid as error:
        refuse(services, QueueName.DUE, body, str(error))
        return ReadEvents()
    if read.invalid and not (read.events or read.newer):
        refuse(services, QueueName.DUE, body, read.invalid[0][1])
    return read


def _decide_action(
    services: Services, body: bytes, read: ReadEvents, states: Sequence[State | None]
) -> ParkedAction:
    events = read.events
    if not read.newer and all(state is not None and state.is_final for state in states):
        return ParkedAction.DROP
    if clock.now() - _received_at(read) > MAX_AGE_SECONDS:
        log.error("parked_event_expired", message_id=events[0].message_id if events else None)
        services.ledger.reject(body, "not processed within a day")
        return ParkedAction.DROP
    if None in states:
        log.warning("parked_event_readmitted", message_id=events[states.index(None)].message_id)
        return ParkedAction.INTAKE_AND_PARK
    return ParkedAction.PARK


def _received_at(read: ReadEvents) -> float:
    """Return when the events of a copy arrived; 0 if a newer dwgate writes it in another way."""
    if read.events:
        return read.events[0].received_at
    received_at = read.newer[0].get("received_at")
    return float(received_at) if isinstance(received_at, int | float) else 0.0
