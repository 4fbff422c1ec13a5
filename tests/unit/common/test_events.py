from __future__ import annotations

import pytest

from common.events import SCHEMA, Event, UnknownSchema

EVENT = Event("m-1", "commit-file", 7, "u", True, {"fileId": 1}, 12.5)


def test_an_event_round_trips_through_json() -> None:
    assert Event.from_json(EVENT.to_json()) == EVENT


def test_an_event_of_a_newer_version_is_rejected() -> None:
    with pytest.raises(
        UnknownSchema, match=f"event schema {SCHEMA + 1}; this dwgate supports versions up to {SCHEMA}"
    ):
        Event.from_json({**EVENT.to_json(), "v": SCHEMA + 1})


def test_an_event_without_a_field_is_rejected() -> None:
    incomplete = EVENT.to_json()
    del incomplete["event_code"]
    with pytest.raises(KeyError, match="event_code"):
        Event.from_json(incomplete)
