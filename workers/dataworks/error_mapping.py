"""Maps a failed OpenAPI call to a `DataWorksError`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from workers.dataworks.errors import (
    AccessDenied,
    DataWorksError,
    NotFound,
    ReplyLost,
    RequestRejected,
    Throttled,
    Unreachable,
)
from workers.dataworks.operations import Operation, QuotaKind


class CallStage(StrEnum):
    """How far a failed call got.

    NO_CREDENTIALS: not sent: no access key was found.
    NOT_SENT: not sent: no connection, or the credentials could not be fetched.
    SENT: possibly applied; no response arrived, or an unreadable one.
    ANSWERED: DataWorks, or the gateway in front of it, returned an error.
    """

    NO_CREDENTIALS = "no_credentials"
    NOT_SENT = "not_sent"
    SENT = "sent"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class CallFailure:
    """A failed call, without anything that was sent and without the response's message.

    Messages of DataWorks are left out on purpose: the one for a wrong signature repeats the signed request.

    Attributes:
        stage: how far the call got.
        reason: dwgate's own code for a call without a response.
        status: HTTP status of the response; None if unknown.
        code: error code of the response.
        request_id: ID that DataWorks gave the call.
    """

    stage: CallStage
    reason: str = ""
    status: int | None = None
    code: str | None = None
    request_id: str | None = None


_THROTTLED = ("Throttling", "Rejected.Throttling")
_BROKEN = ("InternalError.System", "InternalError.Meta.", "ServiceUnavailable")
_DENIED = (
    "Forbidden",
    "NoPermission",
    "InvalidAccessKeyId",
    "InvalidSecurityToken",
    "SignatureDoesNotMatch",
)
_DENIED_ADVICE = "check the access key, and that its RAM policy allows dataworks:*"
"""The help pages name this action for the operations, and no narrower one."""

# The characters of error codes and request IDs: anything else could be a message, and so hold a secret.
_TOKEN = re.compile(r"[\w.:-]{1,100}", re.ASCII)
_NOT_FOUND = re.compile(r"(?P<object>.*?)(?:Does)?Not_?(?:Exists?|Found)", re.ASCII | re.IGNORECASE)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]")
_GENERAL = frozenset({"invalid", "parameter", "meta", "error", "object"})
"""Words of error codes that name no object."""

_ABSENT = (None, "", "None")  # the SDK turns a missing code into the string "None"


def to_error(operation: Operation, failure: CallFailure) -> DataWorksError:
    """Return the error for `failure`.

    Sources of the codes: the operations' help pages, and the codes that Alibaba Cloud's Terraform provider
    retries.
    """
    action, request_id = operation.action, safe_token(failure.request_id)
    if failure.stage is CallStage.NO_CREDENTIALS:
        return AccessDenied(
            action,
            "NoCredentials",
            "set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or attach a RAM role",
        )
    if failure.stage is CallStage.NOT_SENT:
        return Unreachable(action, failure.reason)
    if failure.stage is CallStage.SENT:
        return _broken_reply_error(operation, failure.reason, None)
    return _response_error(operation, failure, request_id)


def _response_error(operation: Operation, failure: CallFailure, request_id: str | None) -> DataWorksError:
    action = operation.action
    code = safe_token(failure.code) or f"Http{failure.status or HTTPStatus.OK}"
    if failure.status == HTTPStatus.TOO_MANY_REQUESTS or code.startswith(_THROTTLED):
        return Throttled(action, code, "", request_id)
    if (failure.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR or code.startswith(_BROKEN):
        return _broken_reply_error(operation, code, request_id)
    if failure.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) or code.startswith(_DENIED):
        return AccessDenied(action, code, _DENIED_ADVICE, request_id)
    return rejection(operation, code, request_id=request_id)


def rejection(
    operation: Operation, code: str, detail: str = "", request_id: str | None = None
) -> RequestRejected:
    """Return the error for a request that DataWorks rejected with `code`."""
    kind = NotFound if is_not_found(operation, code) else RequestRejected
    return kind(operation.action, code, detail, request_id)


def is_not_found(operation: Operation, code: str) -> bool:
    """Whether an error code says that the object which `operation` reads does not exist.

    The words before the end (`NotExist`) decide. `Invalid.Meta.TableNotExist` and
    `InvalidParameter.Meta.NotExist` ("The object does not exist"; both on the help pages of table operations)
    are about the table; `Invalid.Tenant.ConnectionNotExists` and `InvalidApi.NotFound` are not.
    """
    found = _NOT_FOUND.fullmatch(code)
    if not found:
        return False
    words = [word.lower() for word in _WORD.findall(found["object"])]
    named = [word for word in words if word not in _GENERAL]
    if named[1:] and named[-1] == "version":
        del named[-1]  # of a file; a version alone is that of the OpenAPI
    return not named or named[-1] in operation.objects


def _broken_reply_error(operation: Operation, code: str, request_id: str | None) -> DataWorksError:
    lost = operation.quota_kind is QuotaKind.WRITE
    return (ReplyLost if lost else Unreachable)(operation.action, code, "", request_id)


def safe_token(value: object) -> str | None:
    """Return `value` if it looks like an error code or a request ID; None for anything else."""
    if value in _ABSENT or not _TOKEN.fullmatch(str(value)):
        return None
    return str(value)
