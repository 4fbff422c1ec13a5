"""Settles parked copies of events when their delay expires, on either broker.

A copy of finished events is dropped, any other is parked again. An event that the ledger does not know is
admitted: from then on its deadline is watched, whether or not an intake worker ever takes its message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from common import clock
from common.events import Event
from common.ledger import State
from common.topology import BACKSTOP_SECONDS, QueueName
from workers.intake import admit
from workers.messages.events import ReadEvents, read_body
from workers.messages.refused import refuse
from workers.messages.task_message import MessageInvalid
from workers.services import Services

MAX_AGE_SECONDS = 86400.0
"""Age at which an event that intake could not process is stored with the rejects instead."""

log = structlog.get_logger()


def settle(services: Services, bodies: Sequence[bytes]) -> list[bool]:
    """Admit what the ledger does not know, and store what cannot be processed with the rejects.

    Args:
        services: of this process.
        bodies: the due copies; each is the body of an intake message.

    Returns:
        For each copy, whether it must be parked again.
    """
    copies = [_read_copy(services, body) for body in bodies]
    message_ids = [event.message_id for read in copies for event in read.events]
    states = dict(zip(message_ids, services.ledger.states(message_ids), strict=True))
    keep = [_is_unfinished(services, body, read, states) for body, read in zip(bodies, copies, strict=True)]
    kept = [read for read, is_kept in zip(copies, keep, strict=True) if is_kept]
    _admit_unknown(
        services, [event for read in kept for event in read.events if states[event.message_id] is None]
    )
    return keep


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


def _is_unfinished(
    services: Services, body: bytes, read: ReadEvents, states: Mapping[str, State | None]
) -> bool:
    """Whether an event of the copy has not ended; a copy that is too old is stored with the rejects."""
    found = [states[event.message_id] for event in read.events]
    if not read.newer and all(state is not None and state.is_final for state in found):
        return False
    if clock.now() - _received_at(read) > MAX_AGE_SECONDS:
        log.error("parked_event_expired", message_id=read.events[0].message_id if read.events else None)
        services.ledger.reject(body, "not processed within a day")
        return False
    return True


def _admit_unknown(services: Services, events: Sequence[Event]) -> None:
    if not events:
        return
    admit(services, events)
    # The message of a new event is still in intake's queue. An older event was known once: the ledger has
    # lost it, and its message may have been acknowledged. It is known from now on, so it is sent only once.
    before = clock.now() - BACKSTOP_SECONDS
    for event in events:
        if event.received_at < before:
            log.warning("parked_event_readmitted", message_id=event.message_id)
            services.dispatch.send_events(event)


def _received_at(read: ReadEvents) -> float:
    """Return when the events of a copy arrived; 0 if a newer dwgate writes it in another way."""
    if read.events:
        return read.events[0].received_at
    received_at = read.newer[0].get("received_at")
    return float(received_at) if isinstance(received_at, int | float) else 0.0
