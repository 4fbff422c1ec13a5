"""Log lines: one JSON object per event, of dwgate and of libraries, without the texts of exceptions."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from common.log import PACKAGES, configure_logging

SECRET = "SELECT password FROM accounts"


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    loggers = [root, *map(logging.getLogger, PACKAGES)]
    handlers, levels = root.handlers, [logger.level for logger in loggers]
    yield
    root.handlers = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_json_with_level_time_and_component(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "worker")
    structlog.get_logger("workers.intake").info("event_dead", message_id="m-1")

    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "event_dead", "level": "info", "component": "worker", "message_id": "m-1"}


def test_a_line_shows_no_unprintable_characters(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "worker")
    name = "a\x1b[2J\x7f\x9b\u202e\u200b\u2028\ud800表"
    structlog.get_logger("workers.intake").info("event_dead", name=name)
    logging.getLogger("kombu.connection").warning("lost %s", name)

    printed = capsys.readouterr().err
    assert printed.isascii()
    assert all(line.isprintable() for line in printed.split("\n"))
    ours, theirs = map(json.loads, printed.splitlines())
    assert (ours["name"], theirs["event"]) == (name, f"lost {name}")


def test_libraries_are_logged_from_warning_up(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("debug", "worker")
    logging.getLogger("kombu.connection").info("connected")
    logging.getLogger("kombu.connection").warning("lost")
    logging.getLogger("common.ledger").debug("shown")

    assert [(line["logger"], line["event"]) for line in lines(capsys)] == [
        ("kombu.connection", "lost"),
        ("common.ledger", "shown"),
    ]


def test_the_level_applies_to_both(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("error", "ingest")
    structlog.get_logger("ingest.app").warning("not_shown")
    logging.getLogger("kombu").warning("not shown")
    logging.getLogger("kombu").error("shown")

    assert [line["event"] for line in lines(capsys)] == ["shown"]


def fail() -> None:
    raise ValueError(SECRET)


def library() -> None:
    try:
        fail()
    except ValueError:
        logging.getLogger("celery.worker").exception("task failed")


def ours() -> None:
    try:
        fail()
    except ValueError:
        structlog.get_logger("workers.task_base").exception("task_failed")


def ours_with_exc_info() -> None:
    try:
        fail()
    except ValueError as error:
        structlog.get_logger("workers.task_base").error("task_failed", exc_info=error)


@pytest.mark.parametrize("log", [library, ours, ours_with_exc_info])
def test_an_exception_is_logged_by_type_and_position_never_by_its_text(
    log: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("info", "worker")
    log()

    written = capsys.readouterr().err
    assert SECRET not in written
    line = json.loads(written)
    assert line["error"] == "ValueError"
    assert line["frames"][-1].startswith(__file__)


def test_a_terminal_gets_text_without_control_characters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    configure_logging("info", "worker")
    structlog.get_logger("workers.intake").warning("event_taken_over", event_code="commit-\x1b[2Jfile")

    (line,) = capsys.readouterr().err.splitlines()
    assert " warning event_taken_over " in line
    assert "component=worker" in line
    assert "\x1b" not in line
