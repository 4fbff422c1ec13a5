"""Why a request is answered with another page than the one it names."""

from __future__ import annotations

from enum import StrEnum

from common.errors import DwgateError


class Problem(StrEnum):
    """What is wrong with a request; the value begins the keys of its words in `texts/errors.py`."""

    NOT_FOUND = "not_found"
    EVENT_UNKNOWN = "event_unknown"
    EVENT_GONE = "event_gone"
    LINK_MISSING = "link_missing"
    LINK_EXPIRED = "link_expired"
    LINK_ALTERED = "link_altered"
    FORBIDDEN = "forbidden"
    FORM_EXPIRED = "form_expired"
    METHOD = "method"
    INVALID = "invalid"
    LEDGER_AWAY = "ledger_away"
    FAILED = "failed"

    @property
    def status(self) -> int:
        """Its HTTP status."""
        return _STATUS[self]


_STATUS = {
    Problem.NOT_FOUND: 404,
    Problem.EVENT_UNKNOWN: 404,
    Problem.EVENT_GONE: 410,
    Problem.LINK_MISSING: 403,
    Problem.LINK_EXPIRED: 403,
    Problem.LINK_ALTERED: 403,
    Problem.FORBIDDEN: 403,
    Problem.FORM_EXPIRED: 403,
    Problem.METHOD: 405,
    Problem.INVALID: 400,
    Problem.LEDGER_AWAY: 503,
    Problem.FAILED: 500,
}


class RequestRefused(DwgateError):
    """A request cannot be answered with what it names.

    Args:
        problem: what is wrong.
        detail: what the page adds, such as the name of a parameter; never a secret.
    """

    def __init__(self, problem: Problem, detail: str = "") -> None:
        super().__init__(detail or str(problem))
        self.problem = problem
        self.detail = detail

    def __reduce__(self) -> tuple[type[RequestRefused], tuple[Problem, str]]:
        return type(self), (self.problem, self.detail)
