"""What the emulated gateway answers: refusals, business errors, and the envelope of most lookups."""

from __future__ import annotations

from typing import Any

from common.errors import DwgateError

Json = dict[str, Any]


class GatewayError(DwgateError):
    """The gateway or an operation refuses a request: answer `status` with the error body of `code`.

    Attributes:
        status: the HTTP status.
        code: the error code that SDKs and callers tell cases apart by (`SignatureDoesNotMatch`).
        message: one sentence for people.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[GatewayError], tuple[int, str, str]]:
        return type(self), (self.status, self.code, self.message)

    def body(self, request_id: str, host: str) -> Json:
        """Return the body as the gateway writes it."""
        return {"Code": self.code, "Message": self.message, "RequestId": request_id, "HostId": host}


class BusinessError(DwgateError):
    """An operation answers 200 with `Success: false`: tell it by `code`.

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
        """Return the envelope that carries it, without the request id."""
        return {
            "Success": False,
            "HttpStatusCode": 200,
            "ErrorCode": self.code,
            "ErrorMessage": self.message,
        }


def enveloped(data: object) -> Json:
    """Return `data` in the envelope of the lookups that have one."""
    return {"Data": data, "Success": True, "HttpStatusCode": 200}
