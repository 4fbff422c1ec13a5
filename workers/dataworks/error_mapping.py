"""What a failed call means: from the bare facts of the failure to one of our errors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from workers.dataworks.errors import (
    AccessDenied,
    DataWorksError,
    ReplyLost,
    RequestRejected,
    Throttled,
    Unreachable,
)
from workers.dataworks.operations import Operation, QuotaKind


class CallStage(StrEnum):
    """How far a call came.

    NO_CREDENTIALS: nothing was sent, since no access key was found.
    NOT_SENT: nothing was sent: no connection, or the credentials could not be fetched.
    SENT: it may have been carried out; no answer came, or none that can be read.
    ANSWERED: DataWorks, or the gateway before it, answered with an error.
    """

    NO_CREDENTIALS = "no_credentials"
    NOT_SENT = "not_sent"
    SENT = "sent"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class CallFailure:
    """The bare facts of a failed call. It holds nothing that was sent, and no text of the answer.

    The texts of DataWorks are left out on purpose: the one for a wrong signature repeats the request.

    Attributes:
        stage: how far the call came.
        reason: a word of ours, for a call without an answer.
        status: the HTTP status of the answer; None when it is not known.
        code: the answer's error code.
        request_id: DataWorks' own id of the call.
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
_WORD = re.compile(r"[\w.:-]{1,100}", re.ASCII)
_ABSENT = (None, "", "None")  # the SDK turns an absent code into the text "None"


def to_error(operation: Operation, failure: CallFailure) -> DataWorksError:
    """Return the error that `failure` is.

    The codes: the operations' help pages, and what Alibaba Cloud's own Terraform provider retries.
    """
    action, request_id = operation.action, safe_token(failure.request_id)
    if failure.stage is CallStage.NO_CREDENTIALS:
        return AccessDenied(
            action, "NoCredentials", "set ALIBABA_CLOUD_ACCESS_KEY_ID and _SECRET, or give a RAM role"
        )
    if failure.stage is CallStage.NOT_SENT:
        return Unreachable(action, failure.reason)
    if failure.stage is CallStage.SENT:
        return _is_broken_reply(operation, failure.reason, None)
    return _error_response(operation, failure, request_id)


def _error_response(operation: Operation, fault: CallFailure, request_id: str | None) -> DataWorksError:
    action = operation.action
    code = safe_token(fault.code) or f"Http{fault.status or HTTPStatus.OK}"
    if fault.status == HTTPStatus.TOO_MANY_REQUESTS or code.startswith(_THROTTLED):
        return Throttled(action, code, "", request_id)
    if (fault.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR or code.startswith(_BROKEN):
        return _is_broken_reply(operation, code, request_id)
    if fault.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) or code.startswith(_DENIED):
        return AccessDenied(
            action, code, f"look at the access key, and grant it dataworks:{action}", request_id
        )
    return RequestRejected(action, code, "", request_id)


def _is_broken_reply(operation: Operation, code: str, request_id: str | None) -> DataWorksError:
    lost = operation.quota_kind is QuotaKind.WRITE
    return (ReplyLost if lost else Unreachable)(operation.action, code, "", request_id)


def safe_token(value: object) -> str | None:
    """Return `value` when it is one plain word, as codes and request ids are; None for anything else."""
    if value in _ABSENT or not _WORD.fullmatch(str(value)):
        return None
    return str(value)
