"""Which messages of a task queue are what dwgate sends."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from celery import Celery

from common import topology
from common.events import SCHEMA, Event, UnknownSchema
from ingest.celery_message import SerializedEvent, build_message
from workers.messages.task_message import (
    MessageInvalid,
    check_payload,
    read_check_arguments,
    read_headers,
)

HEADERS: dict[str, Any] = {"task": topology.TASK_CHECK, "id": "m-1.1.code-review", "retries": 0}
ARGUMENTS: dict[str, Any] = {
    "v": SCHEMA,
    "message_id": "m-1",
    "run": 1,
    "checks": ["code-review"],
    "until": 12.5,
}


def iso(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_a_message_of_ingest_is_read() -> None:
    event = Event("m-1", "commit-file", 7, "u", True, {}, time.time())
    message = build_message([SerializedEvent.from_event(event)])
    headers = read_headers(message.headers)
    assert headers["id"] == "m-1"
    assert headers["task"] == topology.TASK_INTAKE


@pytest.mark.parametrize("options", [{}, {"countdown": 30}, {"time_limit": 12.5}, {"retries": 7}])
def test_a_message_of_celery_is_read(options: dict[str, Any]) -> None:
    app = Celery("test", set_as_current=False)
    message = app.amqp.as_task_v2("t-1", topology.TASK_CHECK, kwargs=ARGUMENTS, ignore_result=True, **options)
    headers = read_headers(message.headers)
    assert headers["timelimit"] == message.headers["timelimit"]
    assert headers["eta"] == message.headers["eta"]
    payload = orjson.loads(orjson.dumps(message.body))
    assert check_payload(headers["task"], payload) == ([], ARGUMENTS)


def test_other_headers_are_removed() -> None:
    headers = {
        **HEADERS,
        "x-death": [{"count": 1}],
        "expires": "never",
        "shadow": ["x"],
        "group": 7,
        "stamps": 1,
    }
    assert read_headers(headers) == HEADERS


@pytest.mark.parametrize(
    "wrong",
    [
        {"task": "dwgate.unknown"},
        {"task": None},
        {"task": ["dwgate.check"]},
        {"task": "x" * 100_000},
        {"id": None},
        {"id": ""},
        {"id": 7},
        {"id": "x" * 2000},
        {"root_id": {}},
        {"retries": "many"},
        {"retries": -1},
        {"retries": True},
        {"retries": 10**30},
        {"eta": "tomorrow"},
        {"eta": 7},
        {"eta": ""},
        {"eta": "9999-12-31T23:59:59-14:00"},
        {"eta": iso(7200)},
        {"timelimit": "30"},
        {"timelimit": [30]},
        {"timelimit": ["30", None]},
        {"timelimit": [-1, None]},
        {"timelimit": [float("nan"), None]},
        {"timelimit": [1e9, None]},
        {"argsrepr": 7},
        {"kwargsrepr": []},
        {"ignore_result": "no"},
        {"lang": b"py"},
        {"origin": "x" * 100_000},
    ],
    # Not the values: one is a time, and parallel runs must collect the same tests.
    ids=lambda wrong: str(*wrong),
)
def test_a_wrong_header_is_named(wrong: dict[str, Any]) -> None:
    [name] = wrong
    with pytest.raises(MessageInvalid, match=f"header {name}"):
        read_headers({**HEADERS, **wrong})


@pytest.mark.parametrize("name", ["task", "id"])
def test_a_missing_header_is_named(name: str) -> None:
    with pytest.raises(MessageInvalid, match=f"header {name}"):
        read_headers({key: value for key, value in HEADERS.items() if key != name})


@pytest.mark.parametrize("headers", [None, [], "text", 7, {}])
def test_what_are_no_headers(headers: object) -> None:
    with pytest.raises(MessageInvalid):
        read_headers(headers)


@pytest.mark.parametrize(
    "payload",
    [None, 7, "text", b"", {}, [], [[], {}], [[], {}, {}, {}], [{}, [], {}], [[], None, {}], ["a", {}, {}]],
    ids=repr,
)
@pytest.mark.parametrize("task", [topology.TASK_INTAKE, topology.TASK_CHECK, topology.TASK_REPORT])
def test_what_is_no_body(task: str, payload: object) -> None:
    with pytest.raises(MessageInvalid, match="body"):
        check_payload(task, payload)


def test_a_body_cannot_name_further_tasks() -> None:
    with pytest.raises(MessageInvalid, match="further tasks"):
        check_payload(topology.TASK_REPORT, [[], {}, {"callbacks": [{"task": "dwgate.intake"}]}])


@pytest.mark.parametrize(
    ("task", "args", "kwargs"),
    [
        (topology.TASK_INTAKE, [], {}),
        (topology.TASK_INTAKE, [], {"a": 1}),
        (topology.TASK_CHECK, [1], ARGUMENTS),
        (topology.TASK_CHECK, [], {}),
        (topology.TASK_REPORT, [1], {}),
        (topology.TASK_REPORT, [], {"a": 1}),
    ],
)
def test_arguments_of_another_task(task: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    with pytest.raises(MessageInvalid, match="arguments"):
        check_payload(task, [args, kwargs, {}])


def test_arguments_of_a_check_are_read() -> None:
    assert read_check_arguments(ARGUMENTS).checks == ["code-review"]
    assert read_check_arguments({**ARGUMENTS, "workspace": "7"}).workspace == "7"


def test_arguments_of_a_newer_version_are_not_judged() -> None:
    with pytest.raises(UnknownSchema):
        read_check_arguments({"v": SCHEMA + 1, "anything": None})


@pytest.mark.parametrize(
    "wrong",
    [
        {"v": "1"},
        {"v": None},
        {"message_id": 7},
        {"message_id": ""},
        {"message_id": "x" * 200},
        {"run": "1"},
        {"run": None},
        {"checks": "code-review"},
        {"checks": []},
        {"checks": [7]},
        {"checks": ["x" * 1000]},
        {"until": "soon"},
        {"until": float("inf")},
        {"workspace": 7},
    ],
    ids=lambda wrong: f"{wrong}"[:40],
)
def test_a_wrong_argument_of_a_check_is_named_without_its_value(wrong: dict[str, Any]) -> None:
    [name] = wrong
    with pytest.raises(
        MessageInvalid, match="schema version" if name == "v" else f"argument {name}"
    ) as raised:
        read_check_arguments({**ARGUMENTS, **wrong})
    assert "xxx" not in str(raised.value)
