"""A notification: what happened, as data, and its form in Redis. Pure.

It holds names, codes and numbers: never node code, messages of findings, or the address of a target.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson

from common.errors import DwgateError
from common.ledger import EventRecord
from common.plan import requested_result
from common.subjects.event_subject import subject_of
from common.text.printable import printable
from common.verdicts import Result, Verdict
from workers.notifications.model import NotificationKind

MAX_FIELD = 200
"""Characters of a field."""

_MAX_RULES = 8
"""Rules that a notification names."""


class NotificationInvalid(DwgateError, ValueError):
    """An entry in Redis is no notification that this version can read."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification, before and while it is sent.

    Attributes:
        kind: what it is about.
        key: identifies it among those of its kind: a second one with the same key is not sent.
        workspaces: the workspaces that it is about; empty for the whole fleet.
        message_id: the event; None if it is about none.
        operator: UID of the operator, for the map of people; never shown.
        owners: owners of what it is about, for the same map; never shown.
        fields: what its text says, by the names in `texts`.
        targets: the targets that have not received it; None before they are resolved.
        attempts: failed attempts so far.
    """

    kind: NotificationKind
    key: str
    workspaces: tuple[int, ...] = ()
    message_id: str | None = None
    operator: str | None = None
    owners: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, str] | None = None
    attempts: int = 0

    def to_entry(self) -> bytes:
        """Return the entry in Redis."""
        return orjson.dumps(
            {
                "kind": self.kind.value,
                "key": self.key,
                "workspaces": self.workspaces,
                "message_id": self.message_id,
                "operator": self.operator,
                "owners": self.owners,
                "fields": dict(self.fields),
                "targets": None if self.targets is None else dict(self.targets),
                "attempts": self.attempts,
            }
        )

    @classmethod
    def from_entry(cls, entry: bytes) -> Notification:
        """Return the notification of an entry.

        Raises:
            NotificationInvalid: it is none, or of a newer version.
        """
        try:
            raw = orjson.loads(entry)
            return cls(
                NotificationKind(raw["kind"]),
                str(raw["key"]),
                tuple(int(number) for number in raw["workspaces"]),
                raw["message_id"],
                raw["operator"],
                tuple(raw["owners"]),
                {str(name): str(value) for name, value in raw["fields"].items()},
                raw["targets"],
                int(raw["attempts"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise NotificationInvalid("an entry of the outbox is no notification") from None

    def remaining(self, targets: Mapping[str, str]) -> Notification:
        """Return what is left to do after an attempt that did not reach these targets."""
        return replace(self, targets=dict(targets), attempts=self.attempts + 1)


def about_event(
    kind: NotificationKind, record: EventRecord, key: str, fields: Mapping[str, str]
) -> Notification:
    """Return a notification about an event.

    Args:
        kind: what happened.
        record: the event.
        key: identifies the notification among those of its kind.
        fields: what its text says in addition to the event.
    """
    event = record.event
    subject = next(iter(subject_of("", event, None).items), None)
    named = {"object": subject.name or subject.id or ""} if subject else {}
    return Notification(
        kind,
        key,
        () if event.project_id is None else (event.project_id,),
        event.message_id,
        event.operator,
        fields=bound({"event_code": event.event_code, **named, **fields}),
    )


def dead_event(record: EventRecord, reason: str) -> Notification:
    """Return the notification that an event could not be answered."""
    key = f"{record.event.message_id} {record.run}"
    return about_event(NotificationKind.DEAD_EVENT, record, key, {"reason": reason})


def blocked_operation(record: EventRecord) -> Notification:
    """Return the notification that an operation was blocked, with the checks and rules that block it."""
    key = record.event.message_id
    return about_event(
        NotificationKind.BLOCKED_OPERATION, record, key, {"checks": "; ".join(_blocking_checks(record))}
    )


def rerun_differs(record: EventRecord, accepted: Verdict, verdict: Verdict) -> Notification:
    """Return the notification that a rerun has another result than the one that DataWorks accepted."""
    key = f"{record.event.message_id} {record.run}"
    results = {"accepted": accepted.result.value, "result": verdict.result.value}
    return about_event(NotificationKind.RERUN_DIFFERS, record, key, results)


def bound(fields: Mapping[str, str]) -> dict[str, str]:
    """Return fields as one printable line each, of at most MAX_FIELD characters; empty ones are left out."""
    lines = {name: printable(" ".join(value.split())) for name, value in fields.items() if value.strip()}
    return {
        name: line if len(line) <= MAX_FIELD else f"{line[: MAX_FIELD - 1]}…" for name, line in lines.items()
    }


def _blocking_checks(record: EventRecord) -> Sequence[str]:
    """Return the checks that block with the rules of their blocking findings: `code-review (MC-P01)`."""
    lines = []
    for planned in record.plan.checks if record.plan else ():
        outcome = record.outcomes.get(planned.name)
        if planned.effective_result(outcome) is not Result.FAIL:
            continue
        findings = outcome.findings if outcome else ()
        rules = dict.fromkeys(
            finding.rule for finding in findings if requested_result(finding) is Result.FAIL
        )
        shown = ", ".join([*rules][:_MAX_RULES])
        lines.append(f"{planned.name} ({shown})" if shown else planned.name)
    return lines
