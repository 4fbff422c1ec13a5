"""Responses of the emulated gateway: errors, business errors, and the envelope of most lookups."""

from __future__ import annotations

from common.errors import DwgateError
from common.json_types import Json


class GatewayError(DwgateError):
    """The gateway or an operation rejects a request: respond with `status` and the error body of `code`.

    Attributes:
        status: the HTTP status.
        code: the error code by which SDKs and callers distinguish errors (`SignatureDoesNotMatch`).
        message: one sentence for humans.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[GatewayError], tuple[int, str, str]]:
        return type(self), (self.status, self.code, self.message)

    def body(self, request_id: str, host: str) -> Json:
        """Return the body in the gateway's format."""
        return {"Code": self.code, "Message": self.message, "RequestId": request_id, "HostId": host}


class BusinessError(DwgateError):
    """An operation fails with status 200 and `Success: false`; `code` identifies the error.

    Attributes:
        code: the `ErrorCode`.
        message: the `ErrorMessage`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[BusinessError], tuple[str, str]]:
        return type(self), (self.code, self.message)

    def body(self) -> Json:
        """Return the envelope with the error, without the request ID."""
        return {
            "Success": False,
            "HttpStatusCode": 200,
            "ErrorCode": self.code,
            "ErrorMessage": self.message,
        }


def enveloped(data: object) -> Json:
    """Return `data` in the envelope that most lookups have."""
    return {"Data": data, "Success": True, "HttpStatusCode": 200}
