"""The shape of a policy file. What a check's options may be is the check's own to say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from common.verdicts import Result
from workers.plan import Language, Mode

_RESULTS = {text: result for result in Result for text in (result.value, result.value.lower())}


def _result(value: object) -> object:
    if isinstance(value, str) and value in _RESULTS:
        return _RESULTS[value]
    raise ValueError("wants ok, warn or fail")


def _nothing(value: object) -> object:
    return {} if value is None else value


ResultWord = Annotated[Result, BeforeValidator(_result), WithJsonSchema({"enum": sorted(_RESULTS)})]
Deadline = Annotated[
    float,
    Field(
        strict=True, ge=5, le=3600, description="seconds from the event's arrival to its verdict, 5 to 3600"
    ),
]


class Part(BaseModel):
    """A part of the file: no keys but those that are named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Defaults(Part):
    """What holds where a point or a check says nothing else."""

    mode: Mode = Field(default=Mode.ENFORCE, description="how much findings count")
    deadline: Deadline = 60
    on_timeout: ResultWord = Field(
        default=Result.WARN, description="what a check counts as that is not in in time"
    )
    on_error: ResultWord = Field(default=Result.WARN, description="what a check counts as that cannot be run")
    verdict: ResultWord = Field(default=Result.OK, description="the result at points without a check")


class CheckPart(Part):
    """One check at one point."""

    enabled: Annotated[bool, Field(strict=True, description="false takes the check away")] = True
    mode: Mode | None = Field(default=None, description="how much its findings count")
    on_timeout: ResultWord | None = Field(default=None, description="what it counts as when not in in time")
    on_error: ResultWord | None = Field(default=None, description="what it counts as when it cannot be run")
    options: Annotated[dict[str, Any], BeforeValidator(_nothing)] = Field(
        default_factory=dict, description="the check's own options"
    )


class PointPart(Part):
    """One extension point."""

    deadline: Deadline | None = None
    verdict: ResultWord | None = Field(default=None, description="the result when it has no check")
    checks: Annotated[
        dict[str, Annotated[CheckPart, BeforeValidator(_nothing)]], BeforeValidator(_nothing)
    ] = Field(default_factory=dict, description="the checks by name; their order is that of the tip")


Points = Annotated[dict[str, Annotated[PointPart, BeforeValidator(_nothing)]], BeforeValidator(_nothing)]


class WorkspacePart(Part):
    """What one workspace has different; merged over the rest, key by key."""

    points: Points = Field(default_factory=dict, description="the extension points by event code")


class PolicyFile(Part):
    """A dwgate policy."""

    version: Literal[1] = Field(description="1")
    language: Language = Field(default=Language.ENGLISH, description="of the tip")
    defaults: Annotated[Defaults, BeforeValidator(_nothing)] = Field(default_factory=Defaults)
    points: Points = Field(default_factory=dict, description="the extension points by event code")
    workspaces: Annotated[
        dict[int, Annotated[WorkspacePart, BeforeValidator(_nothing)]], BeforeValidator(_nothing)
    ] = Field(default_factory=dict, description="what single workspaces have different, by workspace id")
