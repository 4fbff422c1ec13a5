"""What a rule is: a small pure function from a script's facts to hits, whose docstring is its page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict

from common.i18n import Text as Text  # noqa: PLC0414 - rules import it from here
from common.verdicts import Severity
from workers.review.catalog import Catalog
from workers.review.dialects import Dialect
from workers.review.facts import Script, Span


class Options(BaseModel):
    """What a policy may set for a rule; every field has a default and a description."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a script breaks a rule.

    Attributes:
        at: exactly what is wrong.
        message: one sentence: what is wrong, with the names in question.
        fix: how to mend it, with the author's own names where they are known; the rule's `fix` otherwise.
        severity: the rule's own when None.
        key: what tells this hit from others of the rule in the same script wherever it moves (a table, a
            column); part of its fingerprint. The message does when it is empty.
    """

    at: Span
    message: Text
    fix: Text | None = None
    severity: Severity | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a rule is asked about.

    Attributes:
        script: its facts.
        catalog: what is known of its tables.
        seen: what the other rules saw, and where: for the rules about suppressions, which are asked last.
    """

    script: Script
    catalog: Catalog
    seen: tuple[tuple[str, Span], ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that code should not do.

    Attributes:
        id: its stable id (`MC-C03`).
        name: its stable name in words, with hyphens (`cartesian-join`).
        severity: what a hit asks for, when neither the hit nor the policy says otherwise.
        dialects: the languages that it is for.
        options: what a policy may set.
        fix: how to mend it, in general.
        judge: yields the hits.
        secret: whether the places of its hits hold secrets: they are never shown, nor part of a fingerprint.
    """

    id: str
    name: str
    severity: Severity
    dialects: frozenset[Dialect]
    options: type[Options]
    fix: Text
    judge: Callable[..., Iterable[Hit]]
    secret: bool = False

    @property
    def page(self) -> str:
        """The docstring of its function: see `workers.review.rules.page`."""
        return self.judge.__doc__ or ""

    def hits(self, subject: Subject, options: Options | None = None) -> Iterator[Hit]:
        """Return where `subject` breaks the rule; nothing in languages that it is not for."""
        if subject.script.dialect in self.dialects:
            yield from self.judge(self._meant(subject), self.options() if options is None else options)

    def _meant(self, subject: Subject) -> Subject:
        """Return `subject` without the statements in languages that the rule is not for."""
        script = subject.script
        # In SQL every statement is of the script's own dialect.
        if script.dialect.sql or not any(dialect.sql for dialect in self.dialects):
            return subject
        meant = tuple(
            item for item in script.statements if item.dialect is None or item.dialect in self.dialects
        )
        if len(meant) == len(script.statements):
            return subject
        return replace(subject, script=replace(script, statements=meant))


SQL = frozenset(dialect for dialect in Dialect if dialect.sql) | {Dialect.PYTHON, Dialect.SHELL}
"""Languages with SQL in them: Python and shell nodes have statements too."""
MAXCOMPUTE = frozenset({Dialect.MAXCOMPUTE, Dialect.PYTHON, Dialect.SHELL})
WAREHOUSE = MAXCOMPUTE | {Dialect.HIVE, Dialect.SPARK}
"""Engines whose partitions are columns of the query."""
ANY = frozenset(Dialect)


def rule(
    id_: str,
    name: str,
    severity: Severity,
    *,
    fix: Text,
    dialects: frozenset[Dialect] = SQL,
    options: type[Options] = Options,
    secret: bool = False,
) -> Callable[[Callable[..., Iterable[Hit]]], Rule]:
    """Make a function `(subject[: Subject], options) -> hits` a rule; its docstring becomes its page."""

    def make(judge: Callable[..., Iterable[Hit]]) -> Rule:
        return Rule(id_, name, severity, dialects, options, fix, judge, secret)

    return make
