"""A rule: a small pure function from the facts of a script to hits. Its docstring is its page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from common.config_files.former_names import current_key
from common.text.i18n import Text as Text  # noqa: PLC0414 - rules import it from here
from common.verdicts import Param, Severity
from review.dialects import Dialect
from review.facts import Script, Span
from review.suppressions.model import Refusal
from review.tables.catalog import TableCatalog


class Options(BaseModel):
    """Base of the options of a rule. Every field has a default and a description."""

    # Most processes use the defaults of most rules, which need no validator.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _reject_former_names(cls, values: Any) -> Any:
        """Name the present option if a key is a former name."""
        for key in values if isinstance(values, dict) else ():
            if current := current_key(str(key), cls.model_fields):
                raise ValueError(f"{key} is now {current}")
        return values


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement of code that removes a hit and, whatever the data is, changes nothing else.

    Attributes:
        at: what is replaced.
        text: what replaces it; empty if it is removed.
    """

    at: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """One violation of a rule in a script.

    Attributes:
        at: the span of the fault, as exact as possible.
        message: one sentence that states the fault, with the names concerned.
        fix: how to fix it, with names from the script; the rule's `fix` if None.
        severity: the rule's `severity` if None.
        key: identifies the hit among the rule's hits in a script, wherever it moves (a table, a column).
            It is part of the code digest. If empty, the message is used.
        params: values of the message by name, for programs.
        edit: the edit that `dwgate review --fix` makes; None if none is certain to keep the behaviour.
    """

    at: Span
    message: Text
    fix: Text | None = None
    severity: Severity | None = None
    key: str = ""
    params: tuple[tuple[str, Param], ...] = ()
    edit: Edit | None = None


@dataclass(frozen=True, slots=True)
class RuleContext:
    """The input of a rule.

    Attributes:
        script: its facts.
        catalog: what is known about its tables.
        seen: rule ids and spans of all other hits, for the rules about suppressions, which run last.
        refusals: suppressions that have no effect, for the same rules.
    """

    script: Script
    catalog: TableCatalog
    seen: tuple[tuple[str, Span], ...] = ()
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the code review.

    Attributes:
        id: its stable id (`MC-C03`).
        name: its stable name, with hyphens (`cartesian-join`).
        severity: severity of a hit, unless the hit or the policy sets another.
        dialects: the languages that it applies to.
        options: the model of its options.
        fix: how to fix a hit, in general.
        check: the function that yields the hits.
        secret: whether its hits are on secrets, which are never shown; their digests need a key.
    """

    id: str
    name: str
    severity: Severity
    dialects: frozenset[Dialect]
    options: type[Options]
    fix: Text
    check: Callable[..., Iterable[Hit]]
    secret: bool = False

    @property
    def docs(self) -> str:
        """The English page: the docstring of its function (see `review.rules.rule_page`)."""
        return self.check.__doc__ or ""

    @property
    def title(self) -> str:
        """The first line of its docstring without the full stop; its name when it has none."""
        return (self.docs.strip().partition("\n")[0] or self.name).rstrip(".")

    def hits(self, subject: RuleContext, options: Options | None = None) -> Iterator[Hit]:
        """Yield the violations in `subject`; none if the rule does not apply to its language."""
        if subject.script.dialect in self.dialects:
            yield from self.check(self._for_dialects(subject), self.options() if options is None else options)

    def _for_dialects(self, subject: RuleContext) -> RuleContext:
        """Return `subject` without statements in languages that the rule does not apply to."""
        script = subject.script
        # In SQL every statement is of the script's own dialect.
        if script.dialect.sql or not any(dialect.sql for dialect in self.dialects):
            return subject
        applicable = tuple(
            item for item in script.statements if item.dialect is None or item.dialect in self.dialects
        )
        if len(applicable) == len(script.statements):
            return subject
        return replace(subject, script=replace(script, statements=applicable))


SQL = frozenset(dialect for dialect in Dialect if dialect.sql) | {Dialect.PYTHON, Dialect.SHELL}
"""Languages with SQL statements, including those embedded in Python and shell."""
MAXCOMPUTE = frozenset({Dialect.MAXCOMPUTE, Dialect.PYTHON, Dialect.SHELL})
WAREHOUSE = MAXCOMPUTE | {Dialect.HIVE, Dialect.SPARK}
"""Engines with partition columns."""
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
    """Return a decorator that makes a function `(subject, options) -> hits` a rule."""

    def decorate(judge: Callable[..., Iterable[Hit]]) -> Rule:
        return Rule(id_, name, severity, dialects, options, fix, judge, secret)

    return decorate
