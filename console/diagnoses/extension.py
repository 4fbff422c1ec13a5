"""Diagnoses of `dwgate doctor` about the registered extension: its state, and what it binds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from common.extension_points import BY_CODE, TYPE_PREFIX, Level
from console.diagnoses.doctor_findings import Diagnosis, Health
from workers.dataworks.models import Extension

_WHAT, _POINTS, _RULE = "extension", "extension points", "event rule"

_STATES = {
    1: (Health.GOOD, "published"),
    3: (Health.WRONG, "disabled: no operation waits for it; enable it on the Extensions page"),
    6: (Health.WRONG, "rejected in the review: it acts in its test workspace only"),
}
_UNPUBLISHED = {0: "in testing", 4: "in review", 5: "approved, but not published"}
"""States by `Extension.status` (SDK, GetExtension)."""


def check_extension(
    extension: Extension, extension_code: str, checked_points: Collection[str]
) -> Iterator[Diagnosis]:
    """Yield what the extension's registration means for its operations.

    Args:
        extension: as GetExtension returned it.
        extension_code: the code in the settings.
        checked_points: the extension points for which the policy has checks.
    """
    if extension.code != extension_code:
        yield note_unknown_extension(extension_code)
        return
    yield _check_state(extension)
    yield from _check_points(extension.points, checked_points)


def note_unknown_extension(extension_code: str) -> Diagnosis:
    """Report that DataWorks knows no extension with the code in the settings."""
    return Diagnosis(
        _WHAT,
        Health.WRONG,
        f"DWGATE_EXTENSION_CODE: DataWorks knows no extension {extension_code}; expected the unique code from"
        " the Extensions page",
    )


def _check_state(extension: Extension) -> Diagnosis:
    status = extension.status
    if status in _STATES:
        return Diagnosis(_WHAT, *_STATES[status])
    state = "in no state" if status is None else _UNPUBLISHED.get(status, f"in the unknown state {status}")
    if any(_is_level(code, Level.TENANT) for code in extension.points):
        where = "only for operations of its own owner"
    elif extension.test_project_id is None:
        where = "nowhere: it has no test workspace"
    else:
        where = f"only in its test workspace {extension.test_project_id}"
    return Diagnosis(_WHAT, Health.TRADE_OFF, f"{state}: it acts {where}")


def _check_points(bound: Collection[str], checked: Collection[str]) -> Iterator[Diagnosis]:
    if not bound:
        yield Diagnosis(_POINTS, Health.WRONG, "none is bound: no operation waits for a verdict")
        return
    if unknown := [code for code in bound if code not in BY_CODE]:
        yield Diagnosis(
            _POINTS,
            Health.WRONG,
            f"{_join(unknown)}: unknown to this version of dwgate, so these operations wait without end;"
            " unbind them or upgrade",
        )
    if unchecked := [code for code in bound if code in BY_CODE and code not in checked]:
        yield Diagnosis(
            _POINTS,
            Health.TRADE_OFF,
            f"{_join(unchecked)}: bound, but the policy has no check: these operations wait for nothing",
        )
    levels = {BY_CODE[code].level for code in bound if code in BY_CODE}
    unbound = [
        code for code in BY_CODE if code in checked and code not in bound and BY_CODE[code].level in levels
    ]
    if unbound:
        yield Diagnosis(
            _POINTS,
            Health.TRADE_OFF,
            f"{_join(unbound)}: in the policy, but not bound: their checks never run",
        )
    if not (unknown or unchecked or unbound):
        yield Diagnosis(_POINTS, Health.GOOD, f"{len(bound)} are bound, as in the policy")
    for level in sorted(levels):
        bus = "the bus default" if level is Level.TENANT else "the bus of the distribution channel"
        yield Diagnosis(
            _RULE,
            Health.GOOD,
            f'not visible from here; expected on {bus}: {{"prefix": "{TYPE_PREFIX}"}} or narrower',
        )


def _is_level(code: str, level: Level) -> bool:
    return code in BY_CODE and BY_CODE[code].level is level


def _join(codes: Iterable[str]) -> str:
    return ", ".join(codes)
