"""Reads a data integration node in script mode: its job as facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from review.facts import Span, Statement
from review.facts.data_integration import Job, JobProblem, Step
from review.languages.data_integration import job_schema
from review.languages.data_integration.json_positions import JsonDocument, JsonInvalid, Path, parse_json

_MAX_LENGTH = 1 << 20
_PARAMETERS = 3
"""Maximum path length up to the parameters of a step."""
_MAX_PROBLEMS = 20
"""Maximum number of structural faults reported per job."""


@dataclass(frozen=True, slots=True)
class DiNode:
    """The facts of a data integration node."""

    job: Job = field(default_factory=Job)
    unread: tuple[Statement, ...] = ()


def read_job(code: str) -> DiNode:
    """Return the job that `code` describes; invalid JSON, or not a batch job in script mode, is reported."""
    if len(code) > _MAX_LENGTH:
        return _unread(code, "it is too long")
    try:
        text = parse_json(code)
    except JsonInvalid as error:
        at = Span(min(error.offset, len(code)), min(error.offset + 1, len(code)))
        return _unread(code, f"it is not valid JSON: {error}", at)
    value = text.value
    if isinstance(value, dict) and "steps" in value:
        return DiNode(_job(text, job_schema.STEPS, _steps(value), ("setting",)))
    if isinstance(value, dict) and isinstance(value.get("configuration"), dict):
        ends = _step_sources(value["configuration"])
        return DiNode(_job(text, job_schema.ENDS, ends, ("configuration", "setting")))
    return _unread(code, "it is not a batch synchronization job in script mode")


def _unread(code: str, why: str, at: Span | None = None) -> DiNode:
    return DiNode(unread=(Statement(Span(0, len(code)), unread=why, unread_at=at),))


@dataclass(frozen=True, slots=True)
class _StepSource:
    category: str
    kind: str
    parameter: dict[str, object]
    path: Path
    kind_path: Path


def _steps(value: dict[str, Any]) -> Iterator[_StepSource]:
    steps = value["steps"]
    for index, step in enumerate(steps if isinstance(steps, list) else []):
        if isinstance(step, dict) and isinstance(step.get("parameter"), dict):
            path: Path = ("steps", index)
            category, kind = str(step.get("category", "")).lower(), str(step.get("stepType", "")).lower()
            yield _StepSource(category, kind, step["parameter"], (*path, "parameter"), (*path, "stepType"))


def _step_sources(configuration: dict[str, Any]) -> Iterator[_StepSource]:
    for category in ("reader", "writer"):
        end = configuration.get(category)
        if isinstance(end, dict) and isinstance(end.get("parameter"), dict):
            path: Path = ("configuration", category)
            kind = str(end.get("plugin", "")).lower()
            yield _StepSource(category, kind, end["parameter"], (*path, "parameter"), (*path, "plugin"))


def _job(text: JsonDocument, schema: dict[str, Any], ends: Iterator[_StepSource], setting: Path) -> Job:
    limit = text.value
    for name in (*setting, "errorLimit"):
        limit = limit.get(name) if isinstance(limit, dict) else None
    places = _by_step(text)
    return Job(
        tuple(_step(text, end, places.get(end.path, {})) for end in ends),
        tuple(_schema_problems(text, schema)),
        isinstance(limit, dict)
        and any(limit.get(name) not in (None, "") for name in ("record", "percentage")),
        text.places.get(setting),
    )


def _by_step(text: JsonDocument) -> dict[Path, dict[Path, Span]]:
    """Return the positions within the parameters of each step, by the path of the parameters."""
    found: dict[Path, dict[Path, Span]] = {}
    for path, at in text.places.items():
        if "parameter" in path[:_PARAMETERS]:
            depth = path.index("parameter") + 1
            found.setdefault(path[:depth], {})[path[depth:]] = at
    return found


def _step(text: JsonDocument, end: _StepSource, places: dict[Path, Span]) -> Step:
    at = text.places.get(end.kind_path) or text.places[end.path]
    return Step(at, end.category, end.kind, end.parameter, places)


def _schema_problems(text: JsonDocument, schema: dict[str, Any]) -> Iterator[JobProblem]:
    # Imported here: the import takes an eighth of a second, and most processes never review a job.
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    errors = sorted(
        Draft202012Validator(schema).iter_errors(text.value), key=lambda error: list(map(str, error.path))
    )
    for error in errors[:_MAX_PROBLEMS]:
        path = tuple(error.path)
        keyword = str(error.validator)
        problem, problem_zh = job_schema.PROBLEMS.get(keyword, job_schema.OTHER_PROBLEM)
        detail = _detail(keyword, error.validator_value, error.instance)
        at = text.places[path]
        yield JobProblem(
            Span(at.begin, at.begin + 1) if keyword == "required" else at,
            ".".join(map(str, path)),
            problem.format(detail),
            problem_zh.format(detail),
        )


def _detail(keyword: str, value: object, instance: object) -> str:
    if keyword == "required" and isinstance(value, list) and isinstance(instance, dict):
        return next((str(name) for name in value if name not in instance), "")
    return str(value)
