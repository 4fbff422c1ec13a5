"""Findings of outside tools: ruff's of Python, shellcheck's of shell, squawk's of Hologres."""

from __future__ import annotations

import re

_IDS = re.compile(
    r"PY-(?P<ruff>[A-Z]{1,4}[0-9]{3,4})|SH-(?P<shellcheck>SC[0-9]{4})|PG-(?P<squawk>[a-z]+(?:-[a-z]+)+)"
    r"|PY-RUFF|SH-SHELLCHECK|PG-SQUAWK"
)
_PAGES = {
    "ruff": "https://docs.astral.sh/ruff/rules/{}/",
    "shellcheck": "https://www.shellcheck.net/wiki/{}",
    "squawk": "https://squawkhq.com/docs/{}",
}
SECRETS = frozenset({"PY-S105", "PY-S106", "PY-S107"})
"""Ids whose places hold secrets."""


def is_outside(rule: str) -> bool:
    """Whether `rule` is an id of an outside tool's finding."""
    return _IDS.fullmatch(rule) is not None


def page(rule: str) -> str | None:
    """Return the address of the tool's own page about a finding; None when it has none."""
    match = _IDS.fullmatch(rule)
    if match is None or match.lastgroup is None:
        return None
    return _PAGES[match.lastgroup].format(match[match.lastgroup])
