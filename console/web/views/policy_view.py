"""The effective policy as rows of key, value and source, and the result of a replay. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.plan import OPTION_PREFIX, SettingSource
from common.verdicts import Result
from console.web.display_text import shorten
from console.web.texts.catalogue import Words
from workers.policy.policy import CheckPolicy, PointPolicy
from workers.policy_testing.replay import VerdictChange

MAX_CHANGED = 100
"""Changed events that are listed."""

_MAX_VALUE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One effective value: its key, and where it comes from; an empty source is dwgate's own."""

    key: str
    value: str
    source: str
    layer: str


def setting_rows(point: PointPolicy, options: Mapping[str, Mapping[str, Any]]) -> list[SettingRow]:
    """Return the effective values at an extension point.

    Args:
        point: the policy there.
        options: all options of each check, by its name.
    """
    rows = [
        SettingRow("deadline", f"{point.deadline:g} s", "", ""),
        SettingRow("verdict", point.verdict.value, "", ""),
    ]
    for check in point.checks:
        rows += _check_rows(check, options.get(check.name, {}))
    return rows


def _check_rows(check: CheckPolicy, options: Mapping[str, Any]) -> Iterator[SettingRow]:
    settings = {
        "mode": check.mode.value,
        "share": f"{check.share:g}",
        "on_timeout": check.on_timeout.value,
        "on_error": check.on_error.value,
        "on_unreviewable": check.on_unreviewable.value,
    }
    for name, value in settings.items():
        yield _row(check.name, name, value, check.sources.get(name))
    for name, value in options.items():
        source = check.sources.get(f"{OPTION_PREFIX}{name}")
        for key, text in _flat(f"options.{name}", value):
            yield _row(check.name, key, text, source)


def _row(check: str, key: str, value: str, source: SettingSource | None) -> SettingRow:
    is_known = source is not None and source.file is not None
    text = f"{source.file}:{source.line}" if source and is_known else ""
    return SettingRow(
        f"{check}.{key}", shorten(value, _MAX_VALUE_LENGTH), text, source.layer if source else ""
    )


def _flat(key: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from _flat(f"{key}.{name}", item)
    elif isinstance(value, list | tuple):
        yield key, ", ".join(map(str, value)) or "[]"
    else:
        yield key, "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class ChangedEvent:
    """An event that another policy would have answered differently."""

    message_id: str
    point: str
    project: str
    person: str
    previous: str
    new: str
    because: str
    how: str


@dataclass(frozen=True, slots=True)
class ReplayView:
    """The result of a replay.

    Attributes:
        events: number of events.
        blocked, passed, unknown: number of newly blocked, newly passed, and undetermined ones.
        matrix: number of events by their result now, then their new one; without undetermined ones.
        changed: the events that change, newly blocked first, at most MAX_CHANGED.
        omitted: further events that change.
    """

    events: int
    blocked: int
    passed: int
    unknown: int
    matrix: Mapping[str, Mapping[str, int]]
    changed: Sequence[ChangedEvent]
    omitted: int


_ORDER = (VerdictChange.BLOCKED, VerdictChange.WARNED, VerdictChange.PASSED, VerdictChange.CLEARED)


def replay_view(summary: Mapping[str, Any], words: Words) -> ReplayView:
    """Return what to show of the JSON of `dwgate replay`.

    Args:
        summary: the JSON.
        words: the texts of the page.
    """
    events, counts = summary["events"], summary["counts"]
    pairs = Counter(
        (item["previous"], item["new"]) for item in events if item["change"] != VerdictChange.UNKNOWN
    )
    changed = [item for change in _ORDER for item in events if item["change"] == change]
    results = [result.value for result in Result]
    return ReplayView(
        events=len(events),
        blocked=counts[VerdictChange.BLOCKED],
        passed=counts[VerdictChange.PASSED],
        unknown=counts[VerdictChange.UNKNOWN],
        matrix={before: {after: pairs[before, after] for after in results} for before in results},
        changed=[_changed(item, words) for item in changed[:MAX_CHANGED]],
        omitted=max(len(changed) - MAX_CHANGED, 0),
    )


def _changed(item: Mapping[str, Any], words: Words) -> ChangedEvent:
    reasons = (f"{name}: {found['rule']}" if found else name for name, found in item["because"].items())
    how = "how_unknown" if item["unknown"] else "how_reweighed" if item["reweighed"] else "how_run"
    return ChangedEvent(
        message_id=item["message_id"],
        point=item["event_code"],
        project="–" if item["project_id"] is None else str(item["project_id"]),
        person=shorten(item["operator"] or "–", _MAX_VALUE_LENGTH),
        previous=item["previous"],
        new=item["new"],
        because=shorten(", ".join(reasons), _MAX_VALUE_LENGTH) or "–",
        how=words[how],
    )
