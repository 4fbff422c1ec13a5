"""The JSON schema of a stored event, as `dwgate events show --json` and `events list --json` print it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from common.ledger import State
from common.ledger.timeline import RunState
from common.plan import Mode
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
            "source": _source(),
            "run": _run(),
            "impact": _impact(),
            "object": _impact_object(),
        },
        **_object(
            {
                "message_id": _text("identifies the event"),
                "extension_code": _text("the extension"),
                "event_code": _text("the extension point, such as commit-file"),
                "project_id": _optional("integer", "the workspace; null for events of the tenant"),
                "operator": _optional("string", "UID of the person whose operation waits"),
                "subject": _reference(
                    "subject", "the file, or without one the first node or table, that the operation works on"
                ),
                "more_subjects": {
                    "type": "integer",
                    "minimum": 0,
                    "description": "number of further objects of the same kind",
                },
                "node_type": _optional("string", "name of the node type, such as odps_sql, or its number"),
                "owner": _optional("string", "UID of the owner of the file or node"),
                "file_id": _optional("string", "id of the file"),
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
                "policy": _optional("string", "version of the policy"),
                "contact": {
                    "type": ["object", "null"],
                    "properties": {
                        "name": _text("a team or a person"),
                        "url": _text("a page or chat"),
                        "mail": _text("a mail address"),
                        "tracker": _text("link template for requests of exceptions"),
                    },
                    "description": "whom people may ask",
                },
                "would_be": _optional_enum(Result, "the result with every check in mode enforce"),
                "severities": _severities(),
                "runs": _array("run", "the verdict of each run, oldest first"),
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
            "mode": _enum(Mode, "how its findings count"),
            "share": _number("share of the events to which the mode applies"),
            "on_timeout": _enum(Result, "its result if it has no outcome in time"),
            "on_error": _enum(Result, "its result if it could not be run"),
            "on_unreviewable": _enum(Result, "its result if the author's input could not be reviewed"),
            "options": {"type": "object", "description": "the options that the policy sets"},
            "source": _reference("source", "where the policy sets the mode"),
            "sources": {
                "type": "object",
                "additionalProperties": {"$ref": "#/$defs/source"},
                "description": "where the policy sets each setting, by name",
            },
            "outcome": {
                "enum": [*(kind.value for kind in OutcomeKind), None],
                "description": "how it ended; null while it has not",
            },
            "result": _optional_enum(Result, "what it counts as"),
            "would_be": _optional_enum(Result, "what it would count as in mode enforce"),
            "severities": _severities(),
            "detail": _optional("string", "what could not be reviewed, or the cause of an error"),
            "attempts": {"type": "integer", "minimum": 0, "description": "started attempts in this run"},
            "findings": _array("finding", "what it found"),
            "impact": _reference("impact", "the dependents that it found"),
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
            "waived": _object(
                {"id": _text("the waiver"), "reason": _text("its reason")},
                {"expires_at": _number(f"when it ends, in {_SECONDS}")},
            ),
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


def _source() -> dict[str, Any]:
    return _object(
        {
            "file": _optional("string", "the policy file"),
            "line": {"type": ["integer", "null"], "description": "its line, from 1"},
            "layer": _text("the layer of the policy, console, rollout or default"),
        }
    )


def _run() -> dict[str, Any]:
    return _object(
        {
            "run": _integer("the run"),
            "state": _enum(RunState, "what became of its verdict"),
            "result": _optional_enum(Result, "its result"),
            "reason": _optional_enum(Reason, "why it was decided"),
            "decided_at": {"type": ["number", "null"], "description": _SECONDS},
            "tip": _optional("string", "its tip; null if it is not kept"),
        }
    )


def _impact() -> dict[str, Any]:
    pairs = {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}
    return _object(
        {
            "nodes": _array("object", "what the operation works on, then what depends on it, nearest first"),
            "edges": {"type": "array", "items": pairs, "description": "pairs of ids: source and target"},
            "unexplored": {
                "type": "array",
                "items": pairs,
                "description": "pairs of an id and the reason why its dependents were not explored",
            },
            "is_complete": {"type": "boolean", "description": "whether no dependents are missing"},
            "omitted": {
                "type": "integer",
                "minimum": 0,
                "description": "number of dependents that were found and not stored",
            },
        }
    )


def _impact_object() -> dict[str, Any]:
    return _object(
        {
            "id": _text("id of a node, guid of a table or column, or name of another reader"),
            "name": _text("its name"),
            "kind": {
                "enum": ["node", "table", "column", "consumer"],
                "description": "its kind; a consumer is a report or an API",
            },
            "hops": {
                "type": "integer",
                "minimum": 0,
                "description": "minimum number of hops from what is changed",
            },
        },
        {
            "owner": _text("UID of the owner"),
            "workspace": {"type": "integer", "description": "id of the workspace"},
            "baseline": _text("name or id of its baseline"),
            "priority": {"type": "integer", "description": "priority of the baseline"},
            "due": _text("time (HH:MM) by which the baseline must have finished"),
            "is_changed": {"type": "boolean", "description": "whether the operation works on it"},
        },
    )


def _severities() -> dict[str, Any]:
    counts = {severity.value: {"type": "integer", "minimum": 0} for severity in Severity}
    return {"type": "object", "properties": counts, "description": "number of findings by severity"}


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


def _optional_enum(values: Iterable[StrEnum], description: str) -> dict[str, Any]:
    return {"enum": [*(value.value for value in values), None], "description": description}


def _reference(name: str, description: str) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}], "description": description}


def _array(name: str, description: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/$defs/{name}"}, "description": description}
