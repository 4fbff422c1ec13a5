"""The engine's own estimate of a run's scan size: a port, as engines and credentials are external.

A user's own package implements it: a function registered as the entry point `dwgate.estimators`, which
queries the engine (PyODPS: `odps.execute_sql_cost(code).input_size`) without running the code.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Protocol

from common.errors import DwgateError

GROUP = "dwgate.estimators"


class Estimator(Protocol):
    """Queries an engine for an estimate."""

    def __call__(self, code: str, project: str | None) -> int | None:
        """Return the bytes that `code` would scan in `project`; None if the engine has no estimate."""


class EstimatorInvalid(DwgateError):
    """Install exactly one working estimator; the message lists those found, or why one cannot be loaded."""


def load_estimator() -> Estimator | None:
    """Return the installed estimator; None without one.

    Raises:
        EstimatorInvalid: there are several, or it cannot be imported.
    """
    found = entry_points(group=GROUP)
    if len(found) > 1:
        names = ", ".join(sorted(entry.value for entry in found))
        raise EstimatorInvalid(f"entry points {GROUP}: {names}; expected at most one")
    for entry in found:
        try:
            estimator: Estimator = entry.load()
        except (ImportError, AttributeError) as error:
            raise EstimatorInvalid(f"entry point {entry.name} = {entry.value}: {error}") from error
        return estimator
    return None
