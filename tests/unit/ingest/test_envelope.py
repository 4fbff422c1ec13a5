from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import extension_points
from common.events import Event
from ingest.celery_message import SerializedEvent, build_message
from ingest.envelope import Ignored, MalformedEnvelope, parse_event, read_envelope
from tests.support.eventbridge_signing import ACCOUNT, envelope

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def event(**changes: object) -> Event:
    parsed = parse_event(envelope(**changes), 12.5)
    assert isinstance(parsed, Event)
    return parsed


def test_the_documented_sample_is_read() -> None:
    read_event = event()
    assert read_event == Event(
        message_id="539fd8f4-4ea1-4625-aa8b-6c9066740001",
        event_code="commit-file",
        project_id=93124,
        operator="1923456789012735",
        blocking=True,
        data=read_event.data,
        received_at=12.5,
    )
    assert read_event.data["fileName"] == "dwd_order_di"
    assert read_envelope(envelope()).account == ACCOUNT


@pytest.mark.parametrize("point", extension_points.POINTS, ids=lambda point: point.code)
def test_the_type_is_matched_in_any_case(point: extension_points.ExtensionPoint) -> None:
    assert event(type=point.type, data={"eventCode": "other"}).event_code == point.code
    assert event(type=point.type.upper()).event_code == point.code


def test_a_type_without_extension_point_is_ignored() -> None:
    parsed = parse_event(envelope(type="dataworks:NodeChange:NodeChangeCreated"), 0)
    assert parsed == Ignored("539fd8f4-4ea1-4625-aa8b-6c9066740001", "dataworks:NodeChange:NodeChangeCreated")
    assert parse_event(envelope(type="other", id=None, data=3), 0) == Ignored(None, "other")


@pytest.mark.parametrize(
    ("data", "awaited"),
    [
        ({"extensionBizId": "eb0f7c1d"}, True),
        ({"extensionBizId": 7, "blockBusiness": False}, True),
        ({"blockBusiness": True}, False),
        ({"extensionBizId": "", "blockBusiness": False}, False),
        ({"extensionBizId": None}, False),
        ({"extensionBizId": True}, False),
        ({}, False),
        (None, False),
        ([], False),
    ],
)
def test_an_unknown_extension_point_for_which_an_operation_waits_is_recognized(
    data: object, *, awaited: bool
) -> None:
    parsed = parse_event(envelope(type="dataworks:ModelChange:PublishModel", data=data), 0)
    assert isinstance(parsed, Ignored)
    assert parsed.is_awaited is awaited


@pytest.mark.parametrize(
    ("data", "project_id"),
    [
        ({"projectId": 1}, 1),
        ({"projectId": "2"}, 2),
        ({"appId": 3}, 3),
        ({"queryDwProjectId": "4"}, 4),
        ({"projectId": 5, "appId": 6, "queryDwProjectId": 7}, 5),
        ({"projectId": None, "appId": 6}, 6),
        ({"projectId": True}, None),
        ({"projectId": 1.5}, None),
        ({"projectId": "-1"}, None),
        ({"projectId": "x"}, None),
        ({"projectId": "٣"}, None),
        ({"projectId": "9" * 5000}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_workspace_has_several_names(data: object, project_id: int | None) -> None:
    assert event(data=data).project_id == project_id


@pytest.mark.parametrize(
    ("data", "operator"),
    [
        ({"operator": "19"}, "19"),
        ({"operator": 19}, "19"),
        ({"operatorUid": "20"}, "20"),
        ({"operator": "", "operatorUid": 20}, "20"),
        ({"operator": False}, None),
        ({"operator": ["19"]}, None),
        ({}, None),
    ],
)
def test_the_operator_has_several_forms(data: object, operator: str | None) -> None:
    assert event(data=data).operator == operator


@pytest.mark.parametrize(
    ("raw", "blocking"),
    [(True, True), (False, False), ("true", True), ("False", False), ("yes", None), (1, None), (None, None)],
)
def test_blocking_is_read_from_the_event(raw: object, blocking: bool | None) -> None:
    assert event(data={"blockBusiness": raw}).blocking is blocking


@pytest.mark.parametrize(("raw", "message_id"), [("a-1", "a-1"), (17, "17"), ("x" * 128, "x" * 128)])
def test_the_id_is_text_or_a_number(raw: object, message_id: str) -> None:
    assert event(id=raw).message_id == message_id


@pytest.mark.parametrize("raw", [None, "", " ", True, 1.5, ["a"], "x" * 129, "中" * 43, "a\0b", "a\nb"])
def test_an_event_without_a_valid_id_is_malformed(raw: object) -> None:
    with pytest.raises(MalformedEnvelope, match=r"^id "):
        parse_event(envelope(id=raw), 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"[" + envelope() + b"]",
        b'"text"',
        b"{",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"{}",
        b'{"type": NaN}',
        b'{"type": 5}',
        b'{"type": ""}',
        b'{"type": "dataworks:FileChange:CommitFile", "id": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        envelope(data=[]),
        envelope(data="{}"),
    ],
)
def test_anything_else_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedEnvelope):
        parse_event(body, 0)


def test_data_that_orjson_cannot_serialize_is_malformed() -> None:
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"a": deep}
    with pytest.raises(MalformedEnvelope, match="nested"):
        parse_event(envelope(data=deep), 0)


def test_the_last_of_two_equal_keys_counts() -> None:
    body = envelope()[:-1] + b',"id":"second"}'
    parsed = parse_event(body, 0)
    assert isinstance(parsed, Event)
    assert parsed.message_id == "second"


@pytest.mark.parametrize(
    ("raw", "account"), [("12", "12"), (12, "12"), ("", None), (True, None), (None, None)]
)
def test_the_account_is_text_or_a_number(raw: object, account: str | None) -> None:
    assert read_envelope(envelope(aliyunaccountid=raw)).account == account


def survives(body: bytes) -> None:
    try:
        parsed = parse_event(body, 0)
    except MalformedEnvelope:
        return
    if isinstance(parsed, Event):
        message = build_message([SerializedEvent.from_event(parsed)])
        assert Event.from_json(orjson.loads(message.body)[0][0]) == parsed


@given(st.binary())
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    survives(body)


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(extension_points.POINTS).map(lambda point: point.type) | JSON},
        optional={"id": st.text(max_size=200) | JSON, "data": JSON, "aliyunaccountid": JSON},
    )
)
def test_no_json_raises_anything_else(fields: dict[str, Any]) -> None:
    survives(_dumps(fields))


@given(st.dictionaries(st.sampled_from(["projectId", "operator", "blockBusiness", "appId"]), JSON))
def test_no_data_raises_anything_else(data: dict[str, Any]) -> None:
    survives(_dumps({"type": "dataworks:FileChange:CommitFile", "id": "a", "data": data}))


def _dumps(value: object) -> bytes:
    """Serialize what orjson rejects: NaN, lone surrogates, big numbers."""
    return json.dumps(value).encode()
