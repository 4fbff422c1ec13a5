"""Reasons why code is not reviewed. The text of each is shown in the report."""

from common.errors import DwgateError

PYTHON_2_REVIEWED = "it is Python 2: only its SQL and PyODPS calls were reviewed"
"""Reason for a note, not a gap: Python 2 is converted and reviewed, except by ruff."""

LANGUAGE_UNKNOWN = "the language of its node type is not known"
"""Reason for a note, not a gap: the node type decides the language, not the author of the code."""

NOTES = frozenset({PYTHON_2_REVIEWED, LANGUAGE_UNKNOWN})
"""Reasons that are reported, and do not make a review incomplete."""


class ReviewTimeout(DwgateError):
    """The review timed out: the remaining code counts as unread."""

    def __str__(self) -> str:
        """Return the reason."""
        return "the review timed out"


class NestedTooDeeply(DwgateError):
    """Code is nested more deeply than the limit: it counts as unread."""

    def __str__(self) -> str:
        """Return the reason."""
        return "it is nested too deeply"
