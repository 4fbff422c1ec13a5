"""What a failed call means: from the bare facts of the failure to one of our errors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from workers.dataworks.errors import DataWorksError, Denied, Refused, ReplyLost, Throttled, Unreachable
from workers.dataworks.operations import Kind, Operation


class Stage(StrEnum):
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
class Fault:
    """The bare facts of a failed call. It holds nothing that was sent, and no text of the answer.

    The texts of DataWorks are left out on purpose: the one for a wrong signature repeats the request.

    Attributes:
        stage: how far the call came.
        why: a word of ours, for a call without an answer.
        status: the HTTP status of the answer; None when it is not known.
        code: the answer's error code.
        request_id: DataWorks' own id of the call.
    """

    stage: Stage
    why: str = ""
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


def classify(operation: Operation, fault: Fault) -> DataWorksError:
    """Return the error that `fault` is.

    The codes: the operations' help pages, and what Alibaba Cloud's own Terraform provider retries.
    """
    action, request_id = operation.action, word(fault.request_id)
    if fault.stage is Stage.NO_CREDENTIALS:
        return Denied(
            action, "NoCredentials", "set ALIBABA_CLOUD_ACCESS_KEY_ID and _SECRET, or give a RAM role"
        )
    if fault.stage is Stage.NOT_SENT:
        return Unreachable(action, fault.why)
    if fault.stage is Stage.SENT:
        return _broken(operation, fault.why, None)
    return _answered(operation, fault, request_id)


def _answered(operation: Operation, fault: Fault, request_id: str | None) -> DataWorksError:
    action = operation.action
    code = word(fault.code) or f"Http{fault.status or HTTPStatus.OK}"
    if fault.status == HTTPStatus.TOO_MANY_REQUESTS or code.startswith(_THROTTLED):
        return Throttled(action, code, "", request_id)
    if (fault.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR or code.startswith(_BROKEN):
        return _broken(operation, code, request_id)
    if fault.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) or code.startswith(_DENIED):
        return Denied(action, code, f"look at the access key, and grant it dataworks:{action}", request_id)
    return Refused(action, code, "", request_id)


def _broken(operation: Operation, code: str, request_id: str | None) -> DataWorksError:
    lost = operation.kind is Kind.WRITE
    return (ReplyLost if lost else Unreachable)(operation.action, code, "", request_id)


def word(value: object) -> str | None:
    """Return `value` when it is one plain word, as codes and request ids are; None for anything else."""
    if value in _ABSENT or not _WORD.fullmatch(str(value)):
        return None
    return str(value)
