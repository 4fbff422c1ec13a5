"""Errors of OpenAPI calls.

DataWorksError
├── Transient            may be retried before the deadline
│   ├── Throttled        the account's quota is exhausted
│   ├── Busy             not sent: calls of this operation hang or are many, and have used up its share
│   └── Unreachable      no connection, a server error or an unreadable response
│       └── ReplyLost    the request may have been applied; raised by writes only
└── Permanent            retrying does not help
    ├── AccessDenied     invalid credentials or missing permissions
    └── RequestRejected  DataWorks understood the request and rejected it
        └── NotFound     the object that the request names does not exist
"""

from __future__ import annotations

from common.errors import DwgateError


class DataWorksError(DwgateError):
    """An OpenAPI call failed.

    Attributes:
        action: the operation (`GetNodeChildren`).
        code: the error code of DataWorks, or dwgate's own.
        detail: an explanation; may be empty.
        request_id: ID that DataWorks gave the call, for support tickets.
    """

    def __init__(self, action: str, code: str, detail: str = "", request_id: str | None = None) -> None:
        self.action = action
        self.code = code
        self.detail = detail
        self.request_id = request_id
        text = f"{action}: {code}"
        if detail:
            text += f": {detail}"
        if request_id:
            text += f" (request {request_id})"
        super().__init__(text)

    def __reduce__(self) -> tuple[type[DataWorksError], tuple[str, str, str, str | None]]:
        # Pools pickle errors; by default an exception is rebuilt from its message alone.
        return type(self), (self.action, self.code, self.detail, self.request_id)


class Transient(DataWorksError):
    """May be retried before the deadline."""


class Throttled(Transient):
    """The quota of the account and region is exhausted for the moment."""


class Busy(Transient):
    """Not sent: calls of the operation hang or are many, and must not keep this process from the others."""


class Unreachable(Transient):
    """No connection, a server error, or an unreadable response."""


class ReplyLost(Unreachable):
    """The request may have been applied, but its response was lost: check before posting a different one."""


class Permanent(DataWorksError):
    """Retrying does not help."""


class AccessDenied(Permanent):
    """The credentials are invalid or lack a permission: check the access key and its RAM policy."""


class RequestRejected(Permanent):
    """DataWorks understood the request and rejected it.

    It says nothing about the object that was asked for: a lookup that ends with it has failed.
    """


class NotFound(RequestRejected):
    """The object that the request names does not exist."""
