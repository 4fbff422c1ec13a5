"""Ids of findings of external tools: ruff for Python, shellcheck for shell, squawk for Hologres."""

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
"""Ids whose findings are on secrets."""


def is_external(rule: str) -> bool:
    """Whether `rule` is the id of a finding of an external tool."""
    return _IDS.fullmatch(rule) is not None


def docs_url(rule: str) -> str | None:
    """Return the URL of the tool's page about a finding; None if it has none."""
    match = _IDS.fullmatch(rule)
    if match is None or match.lastgroup is None:
        return None
    return _PAGES[match.lastgroup].format(match[match.lastgroup])
