"""The JSON schema of a stored event, as `dwgate events show --json` and `events list --json` print it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from common.ledger import State
from common.verdicts import OutcomeKind, Reason, Result, Severity, SubjectKind

SCHEMA = "https://json-schema.org/draft/2020-12/schema"

_SECONDS = "seconds since the epoch, with milliseconds"


def event_schema() -> dict[str, Any]:
    """Return the schema of one event.

    Other properties are allowed: a later version may add some, and a program must ignore those that it does
    not know.
    """
    return {
        "$schema": SCHEMA,
        "title": "An event of dwgate",
        "$defs": {
            "verdict": _verdict(),
            "check": _check(),
            "finding": _finding(),
            "subject": _subject(),
        },
        **_object(
            {
                "message_id": _text("identifies the event"),
                "extension_code": _text("the extension"),
                "event_code": _text("the extension point, such as commit-file"),
                "project_id": _optional("integer", "the workspace; null for events of the tenant"),
                "operator": _optional("string", "UID of the person whose operation waits"),
                "state": _enum(State, "its state"),
                "run": {"type": "integer", "minimum": 1, "description": "1, and one more for every requeue"},
                "received_at": _number(f"when it arrived, in {_SECONDS}"),
                "deadline_at": _number(f"when its verdict must have been posted, in {_SECONDS}"),
                "verdict": _reference(
                    "verdict", "what DataWorks accepted; null if nothing is known to be accepted"
                ),
                "frozen": _reference(
                    "verdict",
                    "the verdict of an event without an accepted one; DataWorks may or may not have it",
                ),
                "rerun": _reference(
                    "verdict", "the verdict of the latest run after the accepted one, never posted"
                ),
                "checks": _array("check", "the checks of the plan, in the order of the policy"),
                "timeline": {
                    "type": "array",
                    "description": "its steps, oldest first",
                    "items": _object(
                        {
                            "at": _number(_SECONDS),
                            "what": _text("the kind of the step"),
                            "detail": _text("the rest"),
                        }
                    ),
                },
            }
        ),
    }


def list_schema() -> dict[str, Any]:
    """Return the schema of the output of `dwgate events list --json`."""
    event = event_schema()
    definitions = event.pop("$defs")
    del event["$schema"]
    return {
        "$schema": SCHEMA,
        "title": "Events of dwgate",
        "$defs": {**definitions, "event": event},
        **_object({"events": _array("event", "newest first")}),
    }


def _verdict() -> dict[str, Any]:
    return _object(
        {
            "result": _enum(Result, "the check result"),
            "tip": _text("the text that DataWorks shows"),
            "reason": _enum(Reason, "why it was decided"),
            "decided_at": _number(_SECONDS),
        },
        {
            "reported_at": {
                "type": ["number", "null"],
                "description": f"of `verdict`: when the acceptance was known, in {_SECONDS}",
            },
            "how": _optional("string", "of `verdict`: how the acceptance is known"),
            "run": {"type": "integer", "description": "of `rerun`: its run"},
            "is_different": {"type": "boolean", "description": "of `rerun`: whether its result differs"},
        },
    )


def _check() -> dict[str, Any]:
    return _object(
        {
            "name": _text("the check"),
            "outcome": {
                "enum": [*(kind.value for kind in OutcomeKind), None],
                "description": "how it ended; null while it has not",
            },
            "detail": _optional("string", "what could not be reviewed, or the cause of an error"),
            "attempts": {"type": "integer", "minimum": 0, "description": "started attempts in this run"},
            "findings": _array("finding", "what it found"),
        }
    )


def _finding() -> dict[str, Any]:
    return _object(
        {
            "rule": _text("its id, such as MC-S01"),
            "severity": _enum(Severity, "its severity, before the policy's mode"),
            "message": _text("one sentence, without code"),
        },
        {
            "line": _integer("first line, from 1"),
            "column": _integer("first column in characters, from 1"),
            "end_line": _integer("last line"),
            "end_column": _integer("column of the first character after it"),
            "help": _text("how to fix it"),
            "suppressed": _text("the author's reason for a suppression"),
            "waived": _object({"id": _text("the waiver"), "reason": _text("its reason")}),
            "fingerprint": _text("identifies it across runs"),
            "subjects": _array("subject", "what it is about"),
            "params": {"type": "object", "description": "values of the message by name"},
            "english": _text("the message in English, if `message` is in another language"),
            "code_digest": _text("identifies the code that it is about"),
        },
    )


def _subject() -> dict[str, Any]:
    return _object(
        {"kind": _enum(SubjectKind, "its kind")},
        {
            "id": _text("its id, or the full name of a table"),
            "name": _text("its name"),
            "aliases": {"type": "array", "items": {"type": "string"}, "description": "further names"},
        },
    )


def _object(required: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "required": [*required], "properties": {**required, **(optional or {})}}


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _number(description: str) -> dict[str, Any]:
    return {"type": "number", "description": description}


def _integer(description: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": 1, "description": description}


def _optional(kind: str, description: str) -> dict[str, Any]:
    return {"type": [kind, "null"], "description": description}


def _enum(values: Iterable[StrEnum], description: str) -> dict[str, Any]:
    return {"enum": [value.value for value in values], "description": description}


def _reference(name: str, description: str) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}], "description": description}


def _array(name: str, description: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/$defs/{name}"}, "description": description}
