"""The shape of a waivers file, and what the policy allows of waivers."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from common.extension_points import BY_CODE

MOMENT = "2026-12-01T18:00:00+08:00"
"""A moment as it is to be written: date, time and zone."""

_DATE = re.compile(r"\d{4}-?\d{2}-?\d{2}")
_REPEATED_TWICE = re.compile(r"[+*}][^()]*\)+[+*{]")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_WILD = frozenset("*?")
_MAX_TEXT_LENGTH = 200


def parse_moment(value: object) -> datetime:
    """Return a moment with a zone.

    Raises:
        ValueError: it is none; the text says why and what is wanted.
    """
    text = value.isoformat() if isinstance(value, datetime) else str(value).strip()
    if _DATE.fullmatch(text):
        raise ValueError(f"a bare date leaves hour and zone open; expected a time such as {MOMENT}")
    try:
        read = datetime.fromisoformat(text)
        offset = read.utcoffset()
    except (ValueError, OverflowError):
        raise ValueError(f"not a time; expected one such as {MOMENT}") from None
    if offset is None:
        raise ValueError(f"has no zone; expected a time with one, such as {MOMENT}")
    return read


def _plain(value: str) -> str:
    line = " ".join(value.split())
    if not line:
        raise ValueError("is empty; expected a few words")
    return line


def _id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError("expected up to 40 letters, digits, dots, hyphens and underscores")
    return value


def _is_quick_pattern(value: re.Pattern[str]) -> re.Pattern[str]:
    if _REPEATED_TWICE.search(value.pattern):
        raise ValueError(
            "repeats a group that repeats something, which may take for ever; expected a simpler one"
        )
    return value


def _point(value: str) -> str:
    if value not in BY_CODE:
        raise ValueError(f"unknown extension point; expected one of {', '.join(sorted(BY_CODE))}")
    return value


def _text(value: object) -> object:
    # Ids of people, nodes and files are numbers, and written without quotes.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _nothing(value: object) -> object:
    return {} if value is None else value


Moment = Annotated[datetime, BeforeValidator(parse_moment)]
Text = Annotated[str, BeforeValidator(_text), Field(max_length=_MAX_TEXT_LENGTH)]
NonEmptyTexts = Annotated[Text, AfterValidator(_plain)]


class WaiverPart(BaseModel):
    """A part of the file: no keys but those that are named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WaiverRules(WaiverPart):
    """What the policy allows of waivers."""

    max_days: int = Field(
        default=90, strict=True, ge=1, le=3660, description="days ahead that a waiver may end at the most"
    )
    announce_days: int = Field(
        default=7, strict=True, ge=0, le=365, description="days before its end that a waiver is announced"
    )
    approvers: tuple[NonEmptyTexts, ...] = Field(
        default=(), description="who may approve a waiver; anybody when empty"
    )


class WaiverScope(WaiverPart):
    """Where a waiver holds: everything that is named here must fit; what is left out fits always."""

    projects: tuple[Annotated[int, Field(strict=True)], ...] = Field(default=(), description="workspace ids")
    points: tuple[Annotated[str, AfterValidator(_point)], ...] = Field(default=(), description="event codes")
    files: tuple[Text, ...] = Field(default=(), description="names or ids of files; * and ? are wild")
    nodes: tuple[Text, ...] = Field(default=(), description="ids or names of nodes; * and ? are wild")
    tables: tuple[Text, ...] = Field(default=(), description="names of tables; * and ? are wild")


class Waiver(WaiverPart):
    """One exception: what it lets pass, where, why, who answers for it, and until when."""

    id: Annotated[Text, AfterValidator(_id)] = Field(
        description="up to 40 letters, digits, dots, hyphens and underscores"
    )
    rule: Text | None = Field(default=None, description="rule of the findings; * and ? are wild")
    check: Text | None = Field(default=None, description="check that made the findings; * and ? are wild")
    scope: Annotated[WaiverScope, BeforeValidator(_nothing)] = Field(default_factory=WaiverScope)
    fingerprint: NonEmptyTexts | None = Field(
        default=None, description="the one finding, as `events show` names it"
    )
    pattern: Annotated[re.Pattern[str], AfterValidator(_is_quick_pattern)] | None = Field(
        default=None,
        description="a regular expression that is looked for in the finding's message in English",
    )
    reason: NonEmptyTexts = Field(description="why it is all right for now")
    owner: NonEmptyTexts = Field(description="who sees to it that the waiver is no longer needed")
    approver: NonEmptyTexts = Field(description="who allowed it")
    expires_at: Moment = Field(description=f"when it ends, with a zone: {MOMENT}")

    @model_validator(mode="after")
    def _narrow(self) -> Waiver:
        named = [glob for glob in (self.rule, self.check) if glob is not None]
        if not named:
            raise ValueError("expected rule or check: what it waives")
        all_wild = all(not set(glob) - _WILD for glob in named)
        if all_wild and self.fingerprint is None and self.pattern is None and self.scope == WaiverScope():
            raise ValueError(
                "waives everything; expected a rule, a check, a scope, a fingerprint or a pattern"
            )
        return self

    @property
    def expires_ts(self) -> float:
        """When it ends, in seconds since the epoch: from then on it matches nothing."""
        return self.expires_at.timestamp()

    def is_active(self, now: float) -> bool:
        """Whether it still holds at `now`, in seconds since the epoch."""
        return now < self.expires_ts

    def to_json(self) -> dict[str, Any]:
        """Return the waiver as plain JSON, without empty fields."""
        return self.model_dump(mode="json", exclude_defaults=True)


class WaiversFile(WaiverPart):
    """A file of waivers."""

    version: Literal[1] = Field(description="1")
    waivers: Annotated[tuple[Waiver, ...], BeforeValidator(lambda value: () if value is None else value)] = (
        Field(default=(), description="the waivers")
    )
