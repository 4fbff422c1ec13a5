"""Results: what a check reports (findings, outcome) and what dwgate posts (verdict)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from common.impact_graph import ImpactGraph


class Result(StrEnum):
    """A check result of DataWorks, least severe first."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"

    @property
    def severity_rank(self) -> int:
        """Its rank, from 0 (OK) to 2 (FAIL)."""
        return _RANKS[self]


_RANKS = {Result.OK: 0, Result.WARN: 1, Result.FAIL: 2}


class Severity(StrEnum):
    """Severity of a finding, before the policy's mode caps it."""

    INFO = "info"
    WARN = "warn"
    BLOCK = "block"


class OutcomeKind(StrEnum):
    """How a check ended.

    PASSED: it found nothing. FINDINGS: it found something. SKIPPED: it does not apply.
    UNREVIEWABLE: the author's input could not be read, or it broke or stalled the check.
    ERROR: DataWorks could not be queried, or the check itself is not usable here.
    TIMED_OUT: there was no time for it.
    """

    PASSED = "passed"
    FINDINGS = "findings"
    UNREVIEWABLE = "unreviewable"
    ERROR = "error"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"


class SubjectKind(StrEnum):
    """Kind of a finding's subject."""

    NODE = "node"
    FILE = "file"
    TABLE = "table"
    COLUMN = "column"
    BASELINE = "baseline"
    WORKSPACE = "workspace"
    USER = "user"
    OUTPUT = "output"
    JOB = "job"
    QUALITY_RULE = "quality_rule"
    OPERATION = "operation"
    PARAMETER = "parameter"
    WINDOW = "window"
    PATTERN = "pattern"


MAX_SUBJECTS = 10_000
"""Maximum number of subjects of each kind in one finding; a message names fewer."""

_REST = "(more)"
_CATALOGUE = "odps."
_QUALIFIED = frozenset({SubjectKind.TABLE, SubjectKind.COLUMN})


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that a finding is about: an object of the operation, never a dependent of it.

    Attributes:
        kind: its kind.
        id: its id, or the full name of a table or column (`odps.project.table`); None if it has none.
        name: its name; None if unknown.
        aliases: further names that a waiver may use for it.

    Raises:
        ValueError: it has neither id nor name.
    """

    kind: SubjectKind
    id: str | None = None
    name: str | None = None
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.id and not self.name:
            raise ValueError("a subject needs an id or a name")

    @property
    def key(self) -> str:
        """Its kind and id, or name if it has none: equal for the same thing, never for an id and a name."""
        return f"{self.kind} id {self.id}" if self.id else f"{self.kind} name {self.name}"

    @property
    def names(self) -> tuple[str, ...]:
        """Its names, never its id; those of tables and columns also without catalog and project.

        The id of a table or column is its full name, so it counts as a name, too.
        """
        full = self.id if self.kind in _QUALIFIED else None
        known = [name for name in (full, self.name, *self.aliases) if name]
        if self.kind in _QUALIFIED:
            known += [name[at + 1 :] for name in known for at, char in enumerate(name) if char == "."]
        return tuple(dict.fromkeys(known))

    def with_texts(self, change: Callable[[str], str]) -> Subject:
        """Return the subject with its id, name and aliases changed by `change`."""
        return replace(
            self,
            id=change(self.id) if self.id else None,
            name=change(self.name) if self.name else None,
            aliases=tuple(map(change, self.aliases)),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the subject as plain JSON without empty fields."""
        raw = {key: value for key, value in _values(self) if value not in (None, ())}
        return raw | ({"aliases": list(self.aliases)} if self.aliases else {})

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Subject:
        """Return the subject that `to_json` serialized."""
        kind = SubjectKind(raw["kind"])
        return cls(kind, raw.get("id"), raw.get("name"), tuple(raw.get("aliases", ())))


def table_subject(table: str) -> Subject:
    """Return the subject for a MaxCompute table (`project.table`, with or without `odps.`).

    Without a project it has no id. A table without a name is `?`, which no waiver for a name matches.
    """
    name = table.replace("`", "").lower().removeprefix(_CATALOGUE) or "?"
    return Subject(SubjectKind.TABLE, f"{_CATALOGUE}{name}" if "." in name else None, name)


def limit_subjects(subjects: Iterable[Subject]) -> tuple[Subject, ...]:
    """Return the distinct subjects, at most `MAX_SUBJECTS` of each kind.

    Those above the limit are replaced by one subject with a name that no waiver for named subjects matches,
    so that a waiver for the subjects that are kept does not cover the omitted ones.
    """
    groups: dict[SubjectKind, dict[str, Subject]] = {}
    for subject in subjects:
        groups.setdefault(subject.kind, {}).setdefault(subject.key, subject)
    kept: list[Subject] = []
    for kind, group in groups.items():
        items = list(group.values())
        kept += items[:MAX_SUBJECTS]
        if len(items) > MAX_SUBJECTS:
            kept.append(Subject(kind, name=_REST))
    return tuple(kept)


Param = str | int | float | bool | None
"""A plain value of a finding's message."""


@dataclass(frozen=True, slots=True)
class AppliedWaiver:
    """The waiver that covers a finding.

    Attributes:
        id: of the waiver.
        reason: why the finding is acceptable for now.
        expires_at: when it ends, in seconds since the epoch; None in older records.
    """

    id: str
    reason: str
    expires_at: float | None = None

    def __str__(self) -> str:
        """Return the waiver as `ID: reason`."""
        return f"{self.id}: {self.reason}"

    @classmethod
    def from_json(cls, raw: dict[str, Any] | str) -> AppliedWaiver:
        """Return the waiver from its fields, or from the text `ID: reason` of older records."""
        if isinstance(raw, str):
            id_, _, reason = raw.partition(": ")
            return cls(id_, reason)
        return cls(raw["id"], raw["reason"], raw.get("expires_at"))


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem that a check found.

    Attributes:
        rule: a stable id (`MC-C01`, `backfill-periods`).
        severity: its severity.
        message: one sentence that names the problem, in the policy's language; never contains node code or
            secrets.
        line: 1-based line in the node's code, if it has a position.
        column: 1-based column in characters, if it has a position.
        help: how to fix it, if known.
        end_line: 1-based line on which it ends, if it is a range.
        end_column: 1-based column of the first character after it.
        suppressed: the author's reason for a suppression, with which it counts as OK; None if not suppressed.
        fingerprint: identifies the finding, wherever it moves in the code. Set by dwgate from the check, the
            rule, the workspace, the subjects and `code_digest`, never by a check.
        waived: the waiver that covers it, with which it counts as OK; None if not waived.
        subjects: everything that it is about, not only what the message names. Kinds that a check omits
            (file, node, table) are taken from the event.
        params: values of the message by name, such as counts, limits and dependents; not part of the
            fingerprint.
        english: the message in English, if `message` is in another language.
        code_digest: identifies the code that it is about among the findings on one file, wherever it moves;
            for a secret, an HMAC. None if it is not about code.
    """

    rule: str
    severity: Severity
    message: str
    line: int | None = None
    column: int | None = None
    help: str | None = None
    end_line: int | None = None
    end_column: int | None = None
    suppressed: str | None = None
    fingerprint: str | None = None
    waived: AppliedWaiver | None = None
    subjects: tuple[Subject, ...] = ()
    params: tuple[tuple[str, Param], ...] = ()
    english: str | None = None
    code_digest: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the finding as plain JSON without empty fields."""
        raw: dict[str, Any] = {key: value for key, value in _values(self) if value not in (None, ())}
        if self.waived is not None:
            raw["waived"] = {key: value for key, value in _values(self.waived) if value is not None}
        if self.subjects:
            raw["subjects"] = [subject.to_json() for subject in self.subjects]
        if self.params:
            raw["params"] = dict(self.params)
        return raw

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Finding:
        """Return the finding that `to_json` serialized.

        Older records have neither subjects nor params. Fields that a newer dwgate has added are ignored:
        during a rolling upgrade, its findings are in the records that this one decides.
        """
        waived = raw.get("waived")
        known = {item.name for item in fields(cls)}
        return cls(
            **{
                **{name: value for name, value in raw.items() if name in known},
                "severity": Severity(raw["severity"]),
                "waived": None if waived is None else AppliedWaiver.from_json(waived),
                "subjects": tuple(map(Subject.from_json, raw.get("subjects", ()))),
                "params": tuple(raw.get("params", {}).items()),
            }
        )


def count_severities(findings: Iterable[Finding]) -> dict[Severity, int]:
    """Return the number of findings of each severity, the worst first, without suppressed and waived ones."""
    counts = Counter(item.severity for item in findings if item.suppressed is None and item.waived is None)
    return {severity: counts[severity] for severity in reversed(Severity)}


def _values(value: Subject | AppliedWaiver | Finding) -> list[tuple[str, Any]]:
    return [(item.name, getattr(value, item.name)) for item in fields(value)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a check.

    Attributes:
        kind: how it ended.
        findings: its findings. If kind is `unreviewable` or `error`, those made before, which still count.
        detail: what could not be reviewed, or the reason for an error, timeout or skip, in a few words for
            the tip.
        evidence: the dependents that the check found, whether or not they led to a finding; None if it
            searched for none.
    """

    kind: OutcomeKind
    findings: tuple[Finding, ...] = field(default=())
    detail: str | None = None
    evidence: ImpactGraph | None = None

    @classmethod
    def of(cls, findings: list[Finding] | tuple[Finding, ...]) -> Outcome:
        """Return the outcome for `findings`: passed if there are none."""
        kind = OutcomeKind.FINDINGS if findings else OutcomeKind.PASSED
        return cls(kind, tuple(findings))

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as plain JSON."""
        raw = {
            "kind": self.kind.value,
            "findings": [finding.to_json() for finding in self.findings],
            "detail": self.detail,
        }
        return raw if self.evidence is None else {**raw, "evidence": self.evidence.pack()}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Outcome:
        """Return the outcome that `to_json` serialized; older records have no evidence."""
        findings = tuple(Finding.from_json(item) for item in raw["findings"])
        evidence = raw.get("evidence")
        graph = None if evidence is None else ImpactGraph.unpack(evidence)
        return cls(OutcomeKind(raw["kind"]), findings, raw["detail"], graph)


class Reason(StrEnum):
    """Why a verdict was decided.

    EXTERNAL: DataWorks has a result that the ledger does not contain. Redis has lost the verdict, or a person
    marked the operation as passed.
    """

    COMPLETE = "complete"
    DEADLINE = "deadline"
    DEFAULT = "default"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The single result that dwgate posts for an event.

    Attributes:
        result: OK, WARN or FAIL.
        tip: the text that DataWorks shows to the user.
        reason: all outcomes were in, the deadline came, no check applied, or DataWorks had a result.
        decided_at: seconds since the epoch.
    """

    result: Result
    tip: str
    reason: Reason
    decided_at: float

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as plain JSON."""
        return {
            "result": self.result.value,
            "tip": self.tip,
            "reason": self.reason.value,
            "decided_at": self.decided_at,
        }

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Verdict:
        """Return the verdict that `to_json` serialized."""
        return cls(Result(raw["result"]), raw["tip"], Reason(raw["reason"]), raw["decided_at"])
