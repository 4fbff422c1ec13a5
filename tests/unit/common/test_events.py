from __future__ import annotations

from dataclasses import replace

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


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"extensionBizId": "eb0f7c1d"}, "eb0f7c1d"),
        ({"extensionBizId": 59}, "59"),
        ({"extensionBizId": " "}, None),
        ({"extensionBizId": False}, None),
        ({"extensionBizId": ["a"]}, None),
        ({}, None),
    ],
)
def test_the_id_of_the_check_process(data: dict[str, object], expected: str | None) -> None:
    assert replace(EVENT, data=data).check_process_id == expected
