"""Which rules' findings are wanted: rules that are selected and ignored by id or by prefix of ids."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from review.rules.registry import BY_ID, rule_named

ALL = "ALL"
"""Selects every rule."""

_OF_LINTERS = re.compile(r"PY-[A-Z]{0,4}[0-9]{0,4}|SH-SC[0-9]{0,4}|PG(?:-[A-Z-]*)?")
"""Beginnings of the ids of external linters' rules: they have more rules than dwgate knows by title."""


@dataclass(frozen=True, slots=True)
class RuleSelection:
    """Rules by prefixes of their ids, in any case. The longest prefix decides, as in Ruff.

    Attributes:
        select: the prefixes of rules that are wanted; empty for all.
        ignore: the prefixes of rules that are not.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def has(self, rule: str) -> bool:
        """Whether findings of `rule` are wanted."""
        selected = _longest_match(self.select, rule) if self.select else 0
        ignored = _longest_match(self.ignore, rule)
        return selected is not None and (ignored is None or ignored < selected)


def unknown_prefix(prefixes: Sequence[str]) -> str | None:
    """Return what is wrong with the first of `prefixes` that no rule has; None if there is none."""
    for prefix in prefixes:
        if not _is_known(prefix):
            named = rule_named(prefix.lower())
            if named:
                return f"{prefix} is the name of a rule; expected its id, {named.id}"
            return f"unknown rule {prefix!r}; expected an id or its beginning, such as MC-P04 or MC-N"
    return None


def _is_known(prefix: str) -> bool:
    key = prefix.upper()
    if not key:
        return False
    own = any(rule.upper().startswith(key) for rule in BY_ID)
    return own or key == ALL or _OF_LINTERS.fullmatch(key) is not None or "SH-SHELLCHECK".startswith(key)


def _longest_match(prefixes: Sequence[str], rule: str) -> int | None:
    """Return the length of the longest prefix of `rule`; None without one."""
    key = rule.upper()
    lengths = [
        0 if prefix.upper() == ALL else len(prefix)
        for prefix in prefixes
        if prefix.upper() == ALL or key.startswith(prefix.upper())
    ]
    return max(lengths, default=None)
