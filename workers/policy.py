"""The policy: which checks an operation gets in which workspace, and how each counts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.verdicts import Result
from workers import policy_mistakes
from workers.checks.check import Check
from workers.plan import Language, Mode
from workers.policy_file import PolicyError, read
from workers.policy_model import Defaults, PointPart, PolicyFile

BUILT_IN = Path(__file__).with_name("policy.default.yaml")


@dataclass(frozen=True, slots=True)
class CheckPolicy:
    """One check at one point, in one workspace; see `PlannedCheck`."""

    name: str
    mode: Mode
    on_timeout: Result
    on_error: Result
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PointPolicy:
    """One extension point in one workspace.

    Attributes:
        deadline: seconds from the event's arrival to its verdict.
        checks: its checks, in the order of the file.
        verdict: the result when it has no check.
    """

    deadline: float
    checks: tuple[CheckPolicy, ...]
    verdict: Result


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that was found good.

    Attributes:
        version: a short hash of its text.
        language: the language of the tip.
    """

    version: str
    language: Language
    _points: Mapping[tuple[int | None, str], PointPolicy]
    _without: PointPolicy

    def resolve(self, event_code: str, project_id: int | None) -> PointPolicy:
        """Return what holds for an extension point in a workspace (None: the event names none)."""
        found = self._points.get((project_id, event_code)) or self._points.get((None, event_code))
        return found or self._without


def load(path: Path | None, checks: Mapping[str, Check]) -> Policy:
    """Read a policy file, or the built-in policy.

    Args:
        path: the file; None for the built-in policy.
        checks: the registered checks, by name.

    Raises:
        PolicyError: the file cannot be used; one line a mistake.
    """
    if path is None:
        return parse(BUILT_IN.name, BUILT_IN.read_bytes(), checks)
    try:
        return parse(str(path), path.read_bytes(), checks)
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read: {error.strerror}; wants a policy file") from None


def parse(name: str, content: bytes, checks: Mapping[str, Check]) -> Policy:
    """Read a policy's text; see `load`."""
    document = read(name, content)
    file = policy_mistakes.model(document)
    merged = _merged(file)
    policy_mistakes.refuse(document, file, merged, checks)
    points = {key: _point(part, file.defaults, checks) for key, part in merged.items()}
    without = _point(PointPart(), file.defaults, checks)
    return Policy(hashlib.sha256(content).hexdigest()[:12], file.language, points, without)


def _merged(file: PolicyFile) -> dict[tuple[int | None, str], PointPart]:
    merged: dict[tuple[int | None, str], PointPart] = {
        (None, code): part for code, part in file.points.items()
    }
    for workspace, given in file.workspaces.items():
        for code, part in given.points.items():
            below = file.points.get(code, PointPart())
            both = _over(below.model_dump(exclude_unset=True), part.model_dump(exclude_unset=True))
            merged[workspace, code] = PointPart.model_validate(both)
    return merged


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = dict(below)
    for key, value in above.items():
        under = both.get(key)
        both[key] = _over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return both


def _point(part: PointPart, defaults: Defaults, checks: Mapping[str, Check]) -> PointPolicy:
    return PointPolicy(
        deadline=part.deadline or defaults.deadline,
        checks=tuple(
            CheckPolicy(
                name,
                check.mode or defaults.mode,
                check.on_timeout or defaults.on_timeout,
                check.on_error or defaults.on_error,
                checks[name]
                .options.model_validate(check.options)
                .model_dump(mode="json", by_alias=True, exclude_unset=True),
            )
            for name, check in part.checks.items()
            if check.enabled
        ),
        verdict=part.verdict or defaults.verdict,
    )
