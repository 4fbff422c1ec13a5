"""The section `notifications` of a policy: which notifications go to which targets."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from common.text.i18n import Language

OPERATOR = "operator"
"""A recipient: the operator of the event, by the map `people`."""

OWNER = "owner"
"""A recipient: the owner of the event's file, or of the waiver, by the map `people`."""

_PERSONS = (OPERATOR, OWNER)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_MAX_ROUTES = 200
_MAX_PEOPLE = 10_000
_MAX_PERSON = 200


class NotificationKind(StrEnum):
    """What a notification is about."""

    DEAD_EVENT = "dead-event"
    BLOCKED_OPERATION = "blocked-operation"
    RERUN_DIFFERS = "rerun-differs"
    POLICY_REJECTED = "policy-rejected"
    WAIVER_EXPIRING = "waiver-expiring"
    WEEKLY_REPORT = "weekly-report"


class NotificationEnd(StrEnum):
    """How a notification to a target ended; a label of the metrics."""

    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


OF_EVENTS = frozenset(
    {NotificationKind.DEAD_EVENT, NotificationKind.BLOCKED_OPERATION, NotificationKind.RERUN_DIFFERS}
)
"""The kinds about an event, which has an operator."""

_OWNED = OF_EVENTS | {NotificationKind.WAIVER_EXPIRING}


def is_target_name(text: str) -> bool:
    """Whether `text` can be the name of a target."""
    return _NAME.fullmatch(text) is not None


def _recipient(value: str) -> str:
    if not is_target_name(value):
        raise ValueError("not a name of a target; expected lower-case letters, digits and -")
    return value


def _target(value: str) -> str:
    if value in _PERSONS:
        raise ValueError(f"{value} is no target; expected the name of one")
    return _recipient(value)


def _person(value: object) -> object:
    # UIDs are numbers and may be written without quotes.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _none_to_dict(value: object) -> object:
    return {} if value is None else value


def _none_to_tuple(value: object) -> object:
    return () if value is None else value


Recipient = Annotated[str, AfterValidator(_recipient)]
Target = Annotated[str, AfterValidator(_target)]
Person = Annotated[str, BeforeValidator(_person), Field(min_length=1, max_length=_MAX_PERSON)]


class NotificationPart(BaseModel):
    """A part of the file; unknown keys are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RoutePart(NotificationPart):
    """Notifications of some kinds, of some workspaces, to some recipients."""

    kinds: tuple[NotificationKind, ...] = Field(min_length=1, description="kinds of notifications")
    workspaces: Annotated[tuple[Annotated[int, Field(strict=True)], ...], BeforeValidator(_none_to_tuple)] = (
        Field(default=(), description="workspace ids; all if not set")
    )
    to: tuple[Recipient, ...] = Field(
        min_length=1, description="names of targets, operator or owner (by the map people)"
    )
    language: Language | None = Field(default=None, description="language; that of the policy if not set")

    @model_validator(mode="after")
    def _require_persons(self) -> RoutePart:
        for person, kinds in ((OPERATOR, OF_EVENTS), (OWNER, _OWNED)):
            if person in self.to and (without := sorted(set(self.kinds) - kinds)):
                raise ValueError(f"{without[0]} has no {person}; expected names of targets only in to")
        return self

    def covers(self, kind: NotificationKind, workspaces: Collection[int]) -> bool:
        """Whether the route is for a notification of this kind about these workspaces; none: the fleet."""
        return kind in self.kinds and (not self.workspaces or not set(self.workspaces).isdisjoint(workspaces))


class NotificationRules(NotificationPart):
    """The rules of a policy for notifications."""

    people: Annotated[dict[Person, Target], BeforeValidator(_none_to_dict), Field(max_length=_MAX_PEOPLE)] = (
        Field(
            default_factory=dict, description="targets of persons, by UID or by the name of a waiver's owner"
        )
    )
    routes: Annotated[
        tuple[RoutePart, ...], BeforeValidator(_none_to_tuple), Field(max_length=_MAX_ROUTES)
    ] = Field(default=(), description="which notifications go to whom; every route that fits applies")

    @model_validator(mode="after")
    def _require_people(self) -> NotificationRules:
        for route in self.routes:
            if not self.people and (persons := [name for name in route.to if name in _PERSONS]):
                raise ValueError(f"people is missing; {persons[0]} in to needs this map of UIDs to targets")
        return self

    def wants(self, kind: NotificationKind, workspaces: Collection[int]) -> bool:
        """Whether a notification of this kind about these workspaces goes to anybody."""
        return any(route.covers(kind, workspaces) for route in self.routes)

    def targets(
        self,
        kind: NotificationKind,
        workspaces: Collection[int],
        *,
        operators: Collection[str] = (),
        owners: Collection[str] = (),
    ) -> dict[str, Language | None]:
        """Return the targets of a notification with their languages, each target once.

        Args:
            kind: its kind.
            workspaces: the workspaces that it is about; none: the whole fleet.
            operators: the operator, if one is known.
            owners: the owners, if any are known.
        """
        persons = {OPERATOR: operators, OWNER: owners}
        found: dict[str, Language | None] = {}
        for route in self.routes:
            if route.covers(kind, workspaces):
                for name in route.to:
                    for target in self._resolve(name, persons.get(name)):
                        found.setdefault(target, route.language)
        return found

    def needs_owner(self, kind: NotificationKind, workspaces: Collection[int]) -> bool:
        """Whether the owner decides where a notification goes."""
        return any(OWNER in route.to for route in self.routes if route.covers(kind, workspaces))

    def target_names(self) -> frozenset[str]:
        """Return the names of all targets that are used."""
        named = {name for route in self.routes for name in route.to if name not in _PERSONS}
        return frozenset(named | set(self.people.values()))

    def _resolve(self, name: str, persons: Collection[str] | None) -> Iterator[str]:
        if persons is None:
            yield name
            return
        for person in persons:
            if person in self.people:
                yield self.people[person]
