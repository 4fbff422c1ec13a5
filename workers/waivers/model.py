"""The model of a waivers file, and the policy's rules for waivers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from common.config_files.errors import summarize
from common.extension_points import BY_CODE
from common.text.patterns import Pattern

MOMENT = "2026-12-01T18:00:00+08:00"
"""Example of a point in time: date, time and zone."""

_DATE = re.compile(r"\d{4}-?\d{2}-?\d{2}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_NUMBER = re.compile(r"[0-9]{1,20}")
_FULL_NAME = re.compile(r"[^\s.*?]+(?:\.[^\s.*?]+){2,3}")
_WILD = frozenset("*?")
_MAX_TEXT_LENGTH = 200


def parse_moment(value: object) -> datetime:
    """Return a point in time with a zone.

    Raises:
        ValueError: it is invalid; the text says what is expected.
    """
    text = value.isoformat() if isinstance(value, datetime) else str(value).strip()
    if _DATE.fullmatch(text):
        raise ValueError(f"no time and zone; expected a time such as {MOMENT}")
    try:
        read = datetime.fromisoformat(text)
        offset = read.utcoffset()
    except (ValueError, OverflowError):
        raise ValueError(f"not a time; expected one such as {MOMENT}") from None
    if offset is None:
        raise ValueError(f"no zone; expected a time with a zone, such as {MOMENT}")
    return read


def _plain(value: str) -> str:
    line = " ".join(value.split())
    if not line:
        raise ValueError("empty; expected a text")
    return line


def _id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError("expected up to 40 letters, digits, dots, hyphens and underscores")
    return value


def _number(value: str) -> str:
    if not _NUMBER.fullmatch(value):
        raise ValueError("not an id; expected a number")
    return value


def _full_name(value: str) -> str:
    if not _FULL_NAME.fullmatch(value):
        raise ValueError("not a full name; expected one such as odps.project.table, without wildcards")
    return value.lower()


def _name(value: str) -> str:
    if _NUMBER.fullmatch(value.strip()):
        raise ValueError(
            f"{value} is an id, and a name does not match it; expected it in file_ids or node_ids"
        )
    return _plain(value)


def _point(value: str) -> str:
    if value not in BY_CODE:
        raise ValueError(f"unknown extension point; expected one of {', '.join(sorted(BY_CODE))}")
    return value


def _text(value: object) -> object:
    # Ids of users, nodes and files are numbers and may be written without quotes.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _none_to_dict(value: object) -> object:
    return {} if value is None else value


Moment = Annotated[datetime, BeforeValidator(parse_moment)]
Text = Annotated[str, BeforeValidator(_text), Field(max_length=_MAX_TEXT_LENGTH)]
NonEmptyTexts = Annotated[Text, AfterValidator(_plain)]
Ids = tuple[Annotated[Text, AfterValidator(_number)], ...]
Names = tuple[Annotated[Text, AfterValidator(_name)], ...]


class WaiverPart(BaseModel):
    """A part of the file; unknown keys are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WaiverRules(WaiverPart):
    """The policy's rules for waivers."""

    max_days: int = Field(
        default=90, strict=True, ge=1, le=3660, description="longest remaining time of a waiver, in days"
    )
    announce_days: int = Field(
        default=7,
        strict=True,
        ge=0,
        le=365,
        description="days before its expiry from which tips and logs announce it",
    )
    approvers: tuple[NonEmptyTexts, ...] = Field(
        default=(), description="who may approve a waiver; empty for everybody"
    )
    separate_approver: bool = Field(
        default=False, strict=True, description="whether the approver must not be the owner"
    )


class WaiverScope(WaiverPart):
    """Where a waiver applies: every condition that is set must match.

    DataWorks assigns ids. Names are chosen by the author of the code, so that a condition on names is weaker:
    it holds for everything that gets such a name.
    """

    projects: tuple[Annotated[int, Field(strict=True)], ...] = Field(default=(), description="workspace ids")
    points: tuple[Annotated[str, AfterValidator(_point)], ...] = Field(default=(), description="event codes")
    file_ids: Ids = Field(default=(), description="ids of files")
    node_ids: Ids = Field(default=(), description="ids of nodes")
    table_ids: tuple[Annotated[Text, AfterValidator(_full_name)], ...] = Field(
        default=(), description="full names of tables: odps.project.table"
    )
    files: Names = Field(default=(), description="names of files, with * and ?")
    nodes: Names = Field(default=(), description="names of nodes, with * and ?")
    tables: tuple[NonEmptyTexts, ...] = Field(default=(), description="names of tables, with * and ?")


class Waiver(WaiverPart):
    """One exception: what it covers, where, why, its owner and approver, and until when."""

    id: Annotated[Text, AfterValidator(_id)] = Field(
        description="up to 40 letters, digits, dots, hyphens and underscores"
    )
    rule: Text | None = Field(default=None, description="rule of the findings, with * and ?")
    check: Text | None = Field(default=None, description="check that reported the findings, with * and ?")
    scope: Annotated[WaiverScope, BeforeValidator(_none_to_dict)] = Field(default_factory=WaiverScope)
    fingerprint: NonEmptyTexts | None = Field(
        default=None, description="fingerprint of a single finding, from `events show`"
    )
    pattern: Pattern | None = Field(
        default=None,
        description="RE2 regular expression; it must match a part of the finding's English message",
    )
    reason: NonEmptyTexts = Field(description="why the finding is acceptable for now")
    owner: NonEmptyTexts = Field(description="who is responsible for making the waiver unnecessary")
    approver: NonEmptyTexts = Field(description="who approved it")
    expires_at: Moment = Field(description=f"when it expires, with a zone: {MOMENT}")

    @model_validator(mode="after")
    def _require_condition(self) -> Waiver:
        named = [glob for glob in (self.rule, self.check) if glob is not None]
        if not named:
            raise ValueError("missing; expected rule or check")
        all_wild = all(not set(glob) - _WILD for glob in named)
        if all_wild and self.fingerprint is None and self.pattern is None and self.scope == WaiverScope():
            raise ValueError(
                "matches every finding; expected a rule, a check, a scope, a fingerprint or a pattern"
            )
        return self

    @property
    def expires_ts(self) -> float:
        """When it expires, in seconds since the epoch; from then on it matches nothing."""
        return self.expires_at.timestamp()

    def is_active(self, now: float) -> bool:
        """Whether it has not expired at `now`, in seconds since the epoch."""
        return now < self.expires_ts

    def violations(self, rules: WaiverRules) -> Iterator[tuple[str, str]]:
        """Yield what the policy's rules forbid: the key, and what is wrong. The expiry is not part of it."""
        if rules.approvers and self.approver not in rules.approvers:
            yield (
                "approver",
                f"unknown approver {self.approver}; expected one of {summarize(rules.approvers)}",
            )
        if rules.separate_approver and self.approver.casefold() == self.owner.casefold():
            yield "approver", f"{self.approver} is the owner; expected another person (separate_approver)"

    def to_json(self) -> dict[str, Any]:
        """Return the waiver as plain JSON, without empty fields."""
        return self.model_dump(mode="json", exclude_defaults=True)


class WaiversFile(WaiverPart):
    """A file of waivers."""

    version: Literal[1] = Field(description="1")
    waivers: Annotated[tuple[Waiver, ...], BeforeValidator(lambda value: () if value is None else value)] = (
        Field(default=(), description="the waivers")
    )
