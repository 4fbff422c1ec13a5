"""Overlays the option form saved in the DataWorks console on the policy. The form is untrusted input.

Nothing in it can fail an event or make a check milder than the policy allows: values that are invalid, not
listed in the policy or outside its limits are ignored and reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from pydantic import ValidationError

from common.plan import OPTION_PREFIX, Mode, SettingSource
from common.verdicts import Result
from workers.checks.api import Check
from workers.policy.console_fields import SEVERITY_FIELDS, ConsoleField
from workers.policy.policy import CheckPolicy, PointPolicy

LAYER = "console"
"""Layer of a setting that was saved in the DataWorks console."""

MAX_LENGTH = 65536
"""Characters of a saved form; a longer one is ignored."""

Value = tuple[ConsoleField, Any]


@dataclass(frozen=True, slots=True)
class SavedOptions:
    """A parsed option form.

    Attributes:
        values: the valid values, by check.
        ignored: what was ignored and why, without the values.
    """

    values: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def read_saved(text: str | None, settings: Iterable[ConsoleField]) -> SavedOptions:
    """Parse a saved form: a flat JSON object as text. None, an empty form and empty values set nothing."""
    if text is None or not text.strip() or text.strip() == "null":
        return SavedOptions()
    try:
        form = orjson.loads(text) if len(text) <= MAX_LENGTH else None
    except ValueError:
        return SavedOptions(ignored=("invalid saved options; expected JSON",))
    if not isinstance(form, dict):
        return SavedOptions(
            ignored=(f"invalid saved options; expected a JSON object of at most {MAX_LENGTH} characters",)
        )
    known = {setting.key: setting for setting in settings}
    values: dict[str, tuple[Value, ...]] = {}
    ignored = (
        [f"{unknown} options are not listed in the policy"] if (unknown := len(form.keys() - known)) else []
    )
    for key, setting in known.items():
        if (value := form.get(key)) in (None, "", []) or (isinstance(value, str) and not value.strip()):
            continue
        try:
            values[setting.check] = (*values.get(setting.check, ()), (setting, setting.read(value)))
        except ValueError as error:
            ignored.append(f"{key}: {error}")
    return SavedOptions(values, tuple(ignored))


def overlay(
    point: PointPolicy, saved: SavedOptions, checks: Mapping[str, Check]
) -> tuple[PointPolicy, tuple[str, ...]]:
    """Return an extension point with a saved form applied, and what was ignored and why."""
    ignored = list(saved.ignored)
    done = []
    for check in point.checks:
        for setting, value in saved.values.get(check.name, ()):
            try:
                check = _set(check, setting, value, checks)  # noqa: PLW2901 - values are applied one after another
            except ValueError as error:
                ignored.append(f"{setting.key}: {error}")
        done.append(check)
    return replace(point, checks=tuple(done)), tuple(ignored)


def _set(check: CheckPolicy, setting: ConsoleField, value: Any, checks: Mapping[str, Check]) -> CheckPolicy:
    if setting.name in SEVERITY_FIELDS:
        return _apply_severity(check, setting, value)
    options = {**check.options, setting.name: value}
    try:
        checks[check.name].options.model_validate(options)
    except ValidationError:
        raise ValueError("invalid value") from None
    return replace(check, options=options, sources=_with_source(check, f"{OPTION_PREFIX}{setting.name}"))


def _apply_severity(check: CheckPolicy, setting: ConsoleField, value: str) -> CheckPolicy:
    """Set how a check counts: never milder than in the policy, unless the policy lists the values."""
    order = SEVERITY_FIELDS[setting.name]
    current = getattr(check, setting.name).value.lower()
    if not setting.lists_values and order.index(value) < order.index(current):
        raise ValueError(f"milder than the policy's {current}")
    sources = _with_source(check, setting.name)
    if setting.name == "mode":
        return replace(check, mode=Mode(value), sources=sources)
    changes: dict[str, Any] = {setting.name: Result(value.upper())}
    return replace(check, **changes, sources=sources)


def _with_source(check: CheckPolicy, name: str) -> dict[str, SettingSource]:
    return {**check.sources, name: SettingSource(None, None, LAYER)}
