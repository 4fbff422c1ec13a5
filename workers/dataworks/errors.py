"""What can go wrong with an OpenAPI call.

DataWorksError
├── Transient            try again, the deadline allowing
│   ├── Throttled        the account's quota is used up
│   └── Unreachable      no connection, a server fault, an answer that cannot be read
│       └── ReplyLost    the request may have been carried out; only a write raises it
└── Final                trying again cannot help
    ├── Denied           credentials or permissions
    └── Refused          DataWorks understood and said no
"""

from __future__ import annotations

from common.errors import DwgateError


class DataWorksError(DwgateError):
    """An OpenAPI call failed.

    Attributes:
        action: the operation (`GetNodeChildren`).
        code: the error code of DataWorks, or a word of ours.
        detail: a few more words.
        request_id: DataWorks' own id of the call, for a support ticket.
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
        # Pools send errors between processes; by default one would be rebuilt from its text alone.
        return type(self), (self.action, self.code, self.detail, self.request_id)


class Transient(DataWorksError):
    """Try again, the deadline allowing."""


class Throttled(Transient):
    """The quota of the account and region is used up for the moment."""


class Unreachable(Transient):
    """No connection, a server fault, or an answer that cannot be read."""


class ReplyLost(Unreachable):
    """The request may have been carried out, its answer never came: ask before posting anything else."""


class Permanent(DataWorksError):
    """Trying again cannot help."""


class AccessDenied(Permanent):
    """The credentials are wrong or lack a permission: see the access key and its RAM policy."""


class RequestRejected(Permanent):
    """DataWorks understood the request and said no."""
