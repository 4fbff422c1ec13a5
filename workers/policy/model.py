"""The model of a policy file. Options of checks are validated by the checks' own models."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from common.contact import PLACEHOLDERS
from common.plan import Mode
from common.subjects.node_types import NUMBERS_BY_NAME
from common.text.i18n import Language
from common.verdicts import Result
from review.suppressions.rules import SuppressionRules
from workers.notifications.model import NotificationRules
from workers.waivers.model import WaiverRules

_RESULTS = {text: result for result in Result for text in (result.value, result.value.lower())}


def _result(value: object) -> object:
    if isinstance(value, str) and value in _RESULTS:
        return _RESULTS[value]
    raise ValueError("expected ok, warn or fail")


def _none_to_dict(value: object) -> object:
    return {} if value is None else value


def _none_to_tuple(value: object) -> object:
    return () if value is None else value


def node_type(value: object) -> frozenset[int]:
    """Return the numbers of a node type, for its number or its name.

    Raises:
        ValueError: the name is unknown.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return frozenset({value})
    if isinstance(value, str) and (numbers := NUMBERS_BY_NAME.get(value.lower())):
        return numbers
    near = get_close_matches(str(value).lower(), NUMBERS_BY_NAME, n=3, cutoff=0.3)
    raise ValueError(
        f"unknown node type; expected its number, or a name such as {', '.join(near or ['odps_sql'])}"
    )


def _scalar(value: object) -> object:
    if isinstance(value, str | bool | int | float):
        return value
    raise ValueError("expected a plain value")


def _web_link(value: str) -> str:
    parts = urlsplit(value) if value.isprintable() and " " not in value else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("expected a URL that begins with https:// or http://")
    return value


def _mail(value: str) -> str:
    name, _, host = value.rpartition("@")
    if not name or "." not in host or " " in value or not value.isprintable():
        raise ValueError("expected a mail address")
    return value


def _tracker(value: str) -> str:
    rest = value
    for name in PLACEHOLDERS:
        rest = rest.replace(f"{{{name}}}", "")
    if "{" in rest or "}" in rest:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise ValueError(f"unknown placeholder; expected {known}")
    return value


def _setting(value: object) -> object:
    return {"setting": value} if isinstance(value, str) else value


ResultWord = Annotated[Result, BeforeValidator(_result), WithJsonSchema({"enum": sorted(_RESULTS)})]
Deadline = Annotated[
    float,
    Field(
        strict=True, ge=5, le=3600, description="seconds from the event's arrival to its verdict, 5 to 3600"
    ),
]
Share = Annotated[
    float,
    Field(
        strict=True,
        ge=0,
        le=1,
        description="share of the events to which the mode applies; the others get audit",
    ),
]
NodeType = Annotated[
    frozenset[int],
    BeforeValidator(node_type),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"enum": sorted(NUMBERS_BY_NAME)}]}),
]
Names = Annotated[tuple[str, ...], BeforeValidator(_none_to_tuple)]
Scalar = Annotated[
    str | bool | int | float,
    BeforeValidator(_scalar),
    WithJsonSchema({"type": ["string", "boolean", "number"]}),
]
WebLink = Annotated[str, Field(max_length=300), AfterValidator(_web_link)]
Number = Annotated[int, Field(strict=True)] | Annotated[float, Field(strict=True)]


class Part(BaseModel):
    """A part of the file; unknown keys are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Defaults(Part):
    """Values for points and checks that do not set their own."""

    mode: Mode = Field(default=Mode.ENFORCE, description="whether findings block, warn or are only recorded")
    share: Share = 1
    deadline: Deadline = 60
    on_timeout: ResultWord = Field(default=Result.WARN, description="result if a check times out")
    on_error: ResultWord = Field(default=Result.WARN, description="result if a check cannot run")
    on_unreviewable: ResultWord = Field(
        default=Result.FAIL, description="result if a check cannot review what the author submitted"
    )
    verdict: ResultWord = Field(default=Result.OK, description="result at points without a check")


class CheckPart(Part):
    """One check at one point."""

    enabled: Annotated[bool, Field(strict=True, description="false removes the check")] = True
    mode: Mode | None = Field(
        default=None, description="whether its findings block, warn or are only recorded"
    )
    share: Share | None = None
    on_timeout: ResultWord | None = Field(default=None, description="result if the check times out")
    on_error: ResultWord | None = Field(default=None, description="result if the check cannot run")
    on_unreviewable: ResultWord | None = Field(
        default=None, description="result if the check cannot review what the author submitted"
    )
    options: Annotated[dict[str, Any], BeforeValidator(_none_to_dict)] = Field(
        default_factory=dict, description="the check's own options"
    )


class PointPart(Part):
    """One extension point."""

    deadline: Deadline | None = None
    verdict: ResultWord | None = Field(default=None, description="result if it has no check")
    checks: Annotated[
        dict[str, Annotated[CheckPart, BeforeValidator(_none_to_dict)]], BeforeValidator(_none_to_dict)
    ] = Field(default_factory=dict, description="the checks by name, in the order of the tip")


Points = Annotated[
    dict[str, Annotated[PointPart, BeforeValidator(_none_to_dict)]], BeforeValidator(_none_to_dict)
]


class WherePart(Part):
    """Settings for some files or tables only: those that match types and paths."""

    types: Annotated[tuple[NodeType, ...], BeforeValidator(_none_to_tuple)] = Field(
        default=(), description="node types, by number or name; all if not set"
    )
    paths: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], BeforeValidator(_none_to_tuple)
    ] = Field(default=(), description="patterns of file or table names, with * and ?; all if not set")
    points: Points = Field(default_factory=dict, description="the extension points by event code")

    @model_validator(mode="after")
    def _require_condition(self) -> WherePart:
        if not self.types and not self.paths:
            raise ValueError("applies to everything; expected types or paths")
        return self


Suppressions = Annotated[SuppressionRules, BeforeValidator(_none_to_dict)]


class SetPart(Part):
    """Points that others can extend by name."""

    extends: Names = Field(
        default=(), description="sets that this extends, in order; this has priority over them"
    )
    points: Points = Field(default_factory=dict, description="the extension points by event code")
    where: Annotated[tuple[WherePart, ...], BeforeValidator(_none_to_tuple)] = Field(
        default=(),
        description="settings for some files or tables, merged over points in order",
    )
    suppressions: Suppressions = Field(
        default_factory=SuppressionRules, description="what comments in code may suppress, at every point"
    )


class ContactPart(Part):
    """Whom people may ask about a verdict."""

    name: Annotated[str, Field(min_length=1, max_length=80)] | None = Field(
        default=None, description="a team or a person"
    )
    url: WebLink | None = Field(
        default=None, description="a page or chat; the tip of a blocked operation shows it"
    )
    mail: Annotated[str, Field(max_length=200), AfterValidator(_mail)] | None = Field(
        default=None, description="a mail address, shown if there is no url"
    )
    tracker: Annotated[WebLink, AfterValidator(_tracker)] | None = Field(
        default=None,
        description="link template for requests of exceptions, with {message_id}, {rule} and {file}",
    )


Contacts = Annotated[ContactPart, BeforeValidator(_none_to_dict)]


class WorkspacePart(SetPart):
    """Settings of one workspace; merged over the others, key by key."""

    contact: Contacts = Field(default_factory=ContactPart, description="whom people may ask about a verdict")


class ConsolePart(Part):
    """One setting that workspace administrators may change in the DataWorks console.

    Attributes:
        setting: `CHECK.mode`, `CHECK.on_error`, `CHECK.on_timeout`, `CHECK.on_unreviewable` or
            `CHECK.OPTION`.
    """

    setting: str = Field(
        description="CHECK.mode, CHECK.on_error, CHECK.on_timeout, CHECK.on_unreviewable or CHECK.OPTION"
    )
    values: tuple[Scalar, ...] = Field(default=(), description="allowed values")
    minimum: Number | None = Field(default=None, description="the smallest allowed number")
    maximum: Number | None = Field(default=None, description="the largest allowed number")


class PolicyFile(SetPart):
    """A dwgate policy."""

    version: Literal[1] = Field(description="1")
    language: Language = Field(default=Language.ENGLISH, description="language of the tip")
    defaults: Annotated[Defaults, BeforeValidator(_none_to_dict)] = Field(default_factory=Defaults)
    sets: Annotated[
        dict[str, Annotated[SetPart, BeforeValidator(_none_to_dict)]], BeforeValidator(_none_to_dict)
    ] = Field(default_factory=dict, description="named points for extends")
    workspaces: Annotated[
        dict[int, Annotated[WorkspacePart, BeforeValidator(_none_to_dict)]], BeforeValidator(_none_to_dict)
    ] = Field(default_factory=dict, description="settings of single workspaces, by workspace id")
    console: Annotated[
        tuple[Annotated[ConsolePart, BeforeValidator(_setting)], ...], BeforeValidator(_none_to_tuple)
    ] = Field(default=(), description="settings that administrators may change in the DataWorks console")
    contact: Contacts = Field(default_factory=ContactPart, description="whom people may ask about a verdict")
    waivers: Annotated[WaiverRules, BeforeValidator(_none_to_dict)] = Field(
        default_factory=WaiverRules, description="rules for waivers"
    )
    notifications: Annotated[NotificationRules, BeforeValidator(_none_to_dict)] = Field(
        default_factory=NotificationRules, description="which notifications go to whom"
    )
