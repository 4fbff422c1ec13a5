from __future__ import annotations

from dataclasses import replace

import pytest

from common.events import SCHEMA, Event, EventInvalid, UnknownSchema

EVENT = Event("m-1", "commit-file", 7, "u", True, {"fileId": 1}, 12.5)


def test_an_event_round_trips_through_json() -> None:
    assert Event.from_json(EVENT.to_json()) == EVENT


def test_an_event_of_a_newer_version_is_rejected() -> None:
    with pytest.raises(
        UnknownSchema, match=f"schema {SCHEMA + 1}; this dwgate supports versions up to {SCHEMA}"
    ):
        Event.from_json({**EVENT.to_json(), "v": SCHEMA + 1, "event_code": None})


@pytest.mark.parametrize("name", [*EVENT.to_json()])
def test_an_event_without_a_field_is_rejected(name: str) -> None:
    incomplete = EVENT.to_json()
    del incomplete[name]
    with pytest.raises(EventInvalid, match="schema version" if name == "v" else name):
        Event.from_json(incomplete)


@pytest.mark.parametrize("name", [*EVENT.to_json()])
@pytest.mark.parametrize("value", ["", "text", [], [1], -1.5j, b"bytes"], ids=repr)
def test_an_event_with_a_field_of_another_type_is_rejected(name: str, value: object) -> None:
    if isinstance(value, str) and name in ("message_id", "event_code", "operator"):
        value = True
    with pytest.raises(EventInvalid):
        Event.from_json({**EVENT.to_json(), name: value})


def test_a_boolean_is_no_number() -> None:
    for name in ("v", "project_id", "received_at"):
        with pytest.raises(EventInvalid):
            Event.from_json({**EVENT.to_json(), name: True})


@pytest.mark.parametrize("raw", [None, 7, "text", [], [EVENT.to_json()], True])
def test_what_is_no_object_is_no_event(raw: object) -> None:
    with pytest.raises(EventInvalid, match="not an object"):
        Event.from_json(raw)


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
