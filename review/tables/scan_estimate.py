"""What a run would scan, as the engine itself estimates it: a port, since engines and their keys are outside.

A package of a team's own fills it: a function named as the entry point `dwgate.estimators`, which asks the
engine (PyODPS: `odps.execute_sql_cost(code).input_size`) and so runs nothing.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Protocol

from common.errors import DwgateError

GROUP = "dwgate.estimators"


class Estimator(Protocol):
    """Something that can ask an engine."""

    def __call__(self, code: str, project: str | None) -> int | None:
        """Return the bytes that `code` would scan in `project`; None when the engine does not say."""


class EstimatorInvalid(DwgateError):
    """Install one package with an estimator; the text says which there are, or why it cannot be loaded."""


def load() -> Estimator | None:
    """Return the installed estimator; None when there is none.

    Raises:
        EstimatorInvalid: there are several, or it cannot be imported.
    """
    found = entry_points(group=GROUP)
    if len(found) > 1:
        names = ", ".join(sorted(entry.value for entry in found))
        raise EstimatorInvalid(f"entry points {GROUP}: {names}; wants one at most")
    for entry in found:
        try:
            estimator: Estimator = entry.load()
        except (ImportError, AttributeError) as error:
            raise EstimatorInvalid(f"entry point {entry.name} = {entry.value}: {error}") from error
        return estimator
    return None
