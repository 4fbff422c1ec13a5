"""Public names that were renamed before the first release: an error about an old name gives the new one."""

from __future__ import annotations

from collections.abc import Collection, Mapping

CHECKS: Mapping[str, str] = {
    "data-arriving": "data-upload",
    "data-leaving": "data-download",
    "schedule-fit": "schedule-consistency",
    "start-rush": "start-surge",
}

FINDINGS: Mapping[str, str] = {
    "circle": "dependency-cycle",
    "columns-not-asked": "columns-not-checked",
    "emptied-column-read": "unfilled-column-read",
    "event-unreadable": "event-invalid",
    "event-untold": "event-field-missing",
    "lost-column-perhaps-read": "dropped-column-possibly-read",
    "more-findings": "findings-truncated",
    "not-looked-at": "not-checked",
    "parent-later": "parent-scheduled-later",
    "readers-elsewhere": "readers-in-other-workspaces",
}

RULES: Mapping[str, str] = {
    "column-unclear": "ambiguous-column",
    "defeated-pruning": "partition-pruning-disabled",
    "destruction": "destructive-statement",
    "di-shape": "di-invalid-job",
    "foreign-write": "cross-project-write",
    "python-lifecycle": "python-missing-lifecycle",
    "wasted-work": "redundant-work",
}

_KEYS: Mapping[str, str] = {"least": "minimum", "most": "maximum", "longest_days": "max_days"}
_LIMIT = "most_"
"""The former prefix of limits, now `max_`."""


def current_key(key: str, known: Collection[str]) -> str | None:
    """Return the current name of a former configuration key; None if that is not in `known`."""
    current = f"max_{key.removeprefix(_LIMIT)}" if key.startswith(_LIMIT) else _KEYS.get(key)
    return current if current in known else None
