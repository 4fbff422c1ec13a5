"""Reasons why code is not reviewed. The text of each is shown in the report."""

from common.errors import DwgateError


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
