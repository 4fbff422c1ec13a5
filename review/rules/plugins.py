"""Review rules of installed packages: entry points `dwgate.rules`.

Each entry point refers to a rule, or to a module that has some. A rule that cannot be used is a problem,
which is reported at start; the others stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from types import ModuleType
from typing import NamedTuple

from pydantic import PydanticUserError

from common.plugins.loading import (
    PluginProblem,
    fields_without_default,
    load_plugins,
    one_line,
    problem,
)
from review.rules.api import Rule

GROUP = "dwgate.rules"

_ID = re.compile(r"[A-Z][A-Z0-9]*-[A-Z]*[0-9]+")
"""The form that suppression comments can name."""

_RESERVED = ("MC-", "PY-", "SH-", "PG-", "DI-", "DW-")
"""How ids of built-in rules and of external tools start."""


class LoadedRules(NamedTuple):
    """Rules of plug-ins, and why others cannot be used."""

    rules: tuple[Rule, ...]
    problems: tuple[PluginProblem, ...]


def load_rules(taken: Set[str]) -> LoadedRules:
    """Load the rules of all plug-ins.

    Args:
        taken: ids and names of the built-in rules.
    """
    rules: dict[str, Rule] = {}
    problems: list[PluginProblem] = []
    for entry, loaded in load_plugins(GROUP):
        if isinstance(loaded, PluginProblem):
            problems.append(loaded)
            continue
        offered = list(_offered(loaded))
        if not offered:
            problems.append(problem(entry, "refers to no rule, and to no module with one"))
        for rule in offered:
            if reason := _invalid(rule, taken, rules):
                problems.append(problem(entry, reason))
            else:
                rules[rule.id] = rule
    return LoadedRules(tuple(rules.values()), tuple(problems))


def _offered(loaded: object) -> Iterator[Rule]:
    if isinstance(loaded, Rule):
        yield loaded
    elif isinstance(loaded, ModuleType):
        yield from (item for item in vars(loaded).values() if isinstance(item, Rule))


def _invalid(rule: Rule, taken: Set[str], loaded: dict[str, Rule]) -> str | None:
    names = taken | {
        text for other in loaded.values() if other is not rule for text in (other.id, other.name)
    }
    if not _ID.fullmatch(rule.id) or rule.id.startswith(_RESERVED):
        expected = f"expected one such as ACME-C01 that does not start with {', '.join(_RESERVED)}"
        return f"invalid rule id {rule.id!r}; {expected}"
    if rule.id in names or rule.name in names:
        return f"a rule {rule.id} or {rule.name} exists already"
    return _invalid_options(rule)


def _invalid_options(rule: Rule) -> str | None:
    try:
        fields = fields_without_default(rule.options)
    except PydanticUserError as error:
        return f"{rule.id}: its options are invalid: {one_line(error)}"
    return f"{rule.id}: its options have fields without a valid default: {fields}" if fields else None
