"""Logging on stderr, for dwgate and for libraries: one JSON object per line; on a terminal, text."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from typing import Any

import structlog

from common import tracing
from common.text.printable import escape_json, printable

PACKAGES = ("ingest", "workers", "common", "console", "deploy", "emulator", "review")
"""Packages of dwgate, logged at the configured level; libraries are logged from WARNING up."""


def configure_logging(level: str, component: str) -> None:
    """Configure logging for this process.

    Args:
        level: minimum level: `debug`, `info`, `warning` or `error`.
        component: the component of this process (`ingest`, `worker`); a field of every line.
    """
    number = logging.getLevelNamesMapping()[level.upper()]

    def name_component(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["component"] = component
        return event

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_component,
        _name_trace,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _frames,
                _render_for_terminal
                if sys.stderr.isatty()
                else structlog.processors.JSONRenderer(serializer=_to_json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(number, logging.WARNING))
    for package in PACKAGES:
        logging.getLogger(package).setLevel(number)


def _name_trace(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    trace_id = tracing.current_trace_id()
    if trace_id is not None:
        event["trace_id"] = trace_id
    return event


def _render_for_terminal(_: object, __: str, event: structlog.typing.EventDict) -> str:
    """Return a line for a person: time, level, event, then the fields."""
    at, level, name = (event.pop(key, "") for key in ("timestamp", "level", "event"))
    fields = " ".join(f"{key}={value}" for key, value in event.items())
    return printable(f"{at} {level:7} {name} {fields}".rstrip())


def _to_json(event: structlog.typing.EventDict, **options: Any) -> str:
    """Return a line as ASCII without control characters."""
    return escape_json(json.dumps(event, **options))


def _frames(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Replace an exception by its type and stack frames; its text could contain a node's code."""
    raised = event.pop("exc_info", None)
    error = sys.exc_info()[1] if raised is True else raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)
        event["error"] = type(error).__name__
        event["frames"] = [f"{frame.filename}:{frame.lineno}" for frame in frames]
    return event
