"""Why code is left unread. The text of each is what the report says about it."""

from common.errors import DwgateError


class ReviewTimeout(DwgateError):
    """The time for this review is up: what is left counts as unread."""

    def __str__(self) -> str:
        """Return the reason."""
        return "the review timed out"


class NestedTooDeeply(DwgateError):
    """Code is nested more deeply than is read: it counts as unread."""

    def __str__(self) -> str:
        """Return the reason."""
        return "it is nested too deeply"
