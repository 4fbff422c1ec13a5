"""Case files: an event, the data that DataWorks has for it, and the expected verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from common.config_files.errors import ConfigError, Keys, Problem
from common.config_files.reading import read_config_file
from common.config_files.yaml_document import Document, read_document
from common.events import Event
from common.extension_points import BY_CODE
from common.snapshot import Column, FileSnapshot, Snapshot, TableSnapshot
from workers.checks.api import Check
from workers.policy import policy
from workers.policy.model import ResultWord
from workers.policy.policy import Policy
from workers.policy_testing.world import CaseWorld, Uid, WorldPart, none_to_empty
from workers.waivers.model import Waiver, parse_moment

SUFFIXES = (".yaml", ".yml")
AT = "2026-11-20T10:00:00+08:00"
"""Default arrival time of a case's event: a Friday morning."""


def _point(value: str) -> str:
    if value not in BY_CODE:
        raise ValueError(f"unknown extension point; expected one of {', '.join(sorted(BY_CODE))}")
    return value


def _with_defaults(values: type, value: object, **defaults: Any) -> object:
    """Return a mapping with defaults for missing fields; reject keys that are not fields of `values`."""
    if not isinstance(value, dict):
        return value
    names = [field.name for field in fields(values)]
    for key in value:
        if key not in names:
            raise ValueError(f"unknown key {key}; expected one of {', '.join(names)}")
    return {**defaults, **value}


def _file(value: object) -> object:
    return _with_defaults(FileSnapshot, value, file_id=None, name="", file_type=None, content="")


def _table(value: object) -> object:
    filled = _with_defaults(TableSnapshot, value, name="table", environment=None, comment="", lifecycle=None)
    if isinstance(filled, dict) and isinstance(filled.get("columns"), list):
        return {**filled, "columns": [_with_defaults(Column, item, comment="") for item in filled["columns"]]}
    return filled


def _list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class CaseEvent(WorldPart):
    """The event of a case."""

    code: Annotated[str, AfterValidator(_point)] = Field(description="its extension point")
    project: int | None = Field(default=93124, description="the workspace; null for events without one")
    operator: Uid | None = Field(default="1923", description="UID of the operator")
    at: Annotated[datetime, BeforeValidator(parse_moment)] = Field(
        default=datetime.fromisoformat(AT), description="when it arrives, with a zone"
    )
    data: Annotated[dict[str, Any], none_to_empty(dict)] = Field(default_factory=dict, description="its body")


class CaseSnapshot(WorldPart):
    """What DataWorks returns for the operation (`GetIDEEventDetail`)."""

    file: Annotated[FileSnapshot | None, BeforeValidator(_file)] = None
    table: Annotated[TableSnapshot | None, BeforeValidator(_table)] = None


class Expected(WorldPart):
    """The expected result; what is not set is not compared."""

    verdict: ResultWord | None = Field(default=None, description="OK, WARN or FAIL")
    findings: tuple[str, ...] | None = Field(default=None, description="exactly these rules, in any order")
    tip: Annotated[tuple[str, ...], BeforeValidator(_list)] = Field(
        default=(), description="texts that the tip contains"
    )

    @model_validator(mode="after")
    def _require_expectation(self) -> Expected:
        if self.verdict is None and self.findings is None and not self.tip:
            raise ValueError("expected at least one of verdict, findings, tip")
        return self


class _CaseModel(WorldPart):
    name: str = Field(min_length=1)
    event: CaseEvent
    snapshot: Annotated[CaseSnapshot | None, Field(description="not set: DataWorks has none")] = None
    lookups: Annotated[CaseWorld, none_to_empty(dict)] = Field(default_factory=CaseWorld)
    policy: dict[str, Any] | None = None
    waivers: tuple[Waiver, ...] | None = None
    expect: Expected


class _CaseFile(WorldPart):
    cases: tuple[_CaseModel, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Case:
    """A valid case.

    Attributes:
        line: its line in the file, from 1.
        policy: its own policy; None if it has none.
        waivers: its own waivers; None if it has none.
    """

    line: int
    name: str
    event: Event
    snapshot: Snapshot | None
    world: CaseWorld
    policy: Policy | None
    waivers: tuple[Waiver, ...] | None
    expected: Expected


def find_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the case files at `paths`: the files themselves, and all YAML files in folders.

    Raises:
        ConfigError: a path does not exist, or a folder has no case file.
    """
    found: dict[Path, None] = {}
    for path in paths:
        inside = (
            sorted(item for item in path.rglob("*") if item.suffix in SUFFIXES) if path.is_dir() else [path]
        )
        if not path.exists():
            raise ConfigError(
                (Problem(str(path), "no such file or folder; expected a case file or a folder of them"),)
            )
        if not inside:
            message = f"no case files; expected files that end in {' or '.join(SUFFIXES)}"
            raise ConfigError((Problem(str(path), message),))
        found |= dict.fromkeys(inside)
    return tuple(found)


def load_cases(path: Path, checks: Mapping[str, Check]) -> tuple[Case, ...]:
    """Read a case file.

    Args:
        path: the file.
        checks: the registered checks, by name, for the policies of cases.

    Raises:
        ConfigError: the file cannot be used.
    """
    content = read_config_file(path, "a case file")
    document = read_document(str(path), content, description="case file", keys="cases")
    try:
        file = _CaseFile.model_validate(document.values)
    except ValidationError as error:
        raise document.validation_error(error, _CaseFile) from None
    return tuple(_case(document, number, case, checks) for number, case in enumerate(file.cases))


def _case(document: Document, number: int, case: _CaseModel, checks: Mapping[str, Check]) -> Case:
    at: Keys = ("cases", number)
    event, received_at = case.event, case.event.at.timestamp()
    return Case(
        line=document.line(at),
        name=case.name,
        event=Event(
            f"case-{number + 1}", event.code, event.project, event.operator, True, event.data, received_at
        ),
        snapshot=Snapshot(case.snapshot.file, case.snapshot.table) if case.snapshot else None,
        world=case.lookups,
        policy=None if case.policy is None else _policy(document, (*at, "policy"), case.policy, checks),
        waivers=case.waivers,
        expected=case.expect,
    )


def _policy(document: Document, at: Keys, values: dict[str, Any], checks: Mapping[str, Check]) -> Policy:
    whole = {"version": 1, **values}
    version = policy.version_of(repr(whole).encode("utf-8", "backslashreplace"))
    return policy.build_policy(document.part(at, whole), version, checks)
