from __future__ import annotations

import pickle

import pytest

from workers.dataworks import operations
from workers.dataworks.error_mapping import CallFailure, CallStage, to_error
from workers.dataworks.errors import (
    AccessDenied,
    DataWorksError,
    Permanent,
    ReplyLost,
    RequestRejected,
    Throttled,
    Transient,
    Unreachable,
)
from workers.dataworks.invoker import is_safe_to_retry
from workers.dataworks.operations import Operation, QuotaKind
from workers.dataworks.transport import is_loopback, parse_body

READ = operations.NODE
WRITE = operations.RESULTS[next(iter(operations.RESULTS))]

ANSWERS: list[tuple[int | None, str | None, type[DataWorksError], type[DataWorksError]]] = [
    # status, code, what a read raises, what a write raises
    (429, "Throttling.Api", Throttled, Throttled),
    (429, "Throttling.User", Throttled, Throttled),
    (429, "Throttling.System", Throttled, Throttled),
    (429, "Throttling.Api.Risk", Throttled, Throttled),
    (400, "Throttling", Throttled, Throttled),
    (429, "None", Throttled, Throttled),
    (503, "Rejected.Throttling", Throttled, Throttled),
    (500, "InternalError.System", Unreachable, ReplyLost),
    (500, "InternalError.Meta.TenantTimeOut", Unreachable, ReplyLost),
    (500, "InternalError.Meta.Unknown", Unreachable, ReplyLost),
    (None, "InternalError.System", Unreachable, ReplyLost),
    (503, "ServiceUnavailable", Unreachable, ReplyLost),
    (502, None, Unreachable, ReplyLost),
    (400, "InternalError.UserId.Missing", RequestRejected, RequestRejected),
    (403, "Forbidden.Access", AccessDenied, AccessDenied),
    (403, "Forbidden.RAM", AccessDenied, AccessDenied),
    (403, "None", AccessDenied, AccessDenied),
    (401, None, AccessDenied, AccessDenied),
    (400, "NoPermission", AccessDenied, AccessDenied),
    (404, "InvalidAccessKeyId.NotFound", AccessDenied, AccessDenied),
    (400, "InvalidAccessKeyId.Inactive", AccessDenied, AccessDenied),
    (400, "InvalidSecurityToken.Expired", AccessDenied, AccessDenied),
    (400, "SignatureDoesNotMatch", AccessDenied, AccessDenied),
    (404, "InvalidApi.NotFound", RequestRejected, RequestRejected),
    (400, "InvalidTimeStamp.Expired", RequestRejected, RequestRejected),
    (400, "SignatureNonceUsed", RequestRejected, RequestRejected),
    (400, "MissingMessageId", RequestRejected, RequestRejected),
    (None, "Invalid.Tenant.ProjectNotExists", RequestRejected, RequestRejected),
    (404, "None", RequestRejected, RequestRejected),
]


@pytest.mark.parametrize(("status", "code", "of_read", "of_write"), ANSWERS)
def test_an_answered_error_is_read_by_status_and_code(
    status: int | None, code: str | None, of_read: type[DataWorksError], of_write: type[DataWorksError]
) -> None:
    fault = CallFailure(CallStage.ANSWERED, status=status, code=code, request_id="R-1")
    assert type(to_error(READ, fault)) is of_read
    assert type(to_error(WRITE, fault)) is of_write
    assert "R-1" in str(to_error(READ, fault))


@pytest.mark.parametrize(
    ("stage", "of_read", "of_write"),
    [
        (CallStage.NO_CREDENTIALS, AccessDenied, AccessDenied),
        (CallStage.NOT_SENT, Unreachable, Unreachable),
        (CallStage.SENT, Unreachable, ReplyLost),
    ],
)
def test_without_an_answer_it_counts_how_far_the_call_came(
    stage: CallStage, of_read: type[DataWorksError], of_write: type[DataWorksError]
) -> None:
    assert type(to_error(READ, CallFailure(stage, "ReadTimeout"))) is of_read
    assert type(to_error(WRITE, CallFailure(stage, "ReadTimeout"))) is of_write


def test_codes_that_are_not_words_do_not_get_into_the_text() -> None:
    fault = CallFailure(
        CallStage.ANSWERED, status=400, code="POST&%2F&Signature=abc secret", request_id="None"
    )
    error = to_error(READ, fault)
    assert str(error) == "GetNode: Http400"
    assert error.request_id is None


def test_an_error_outlives_the_way_between_processes() -> None:
    error = Throttled("GetNode", "Throttling.User", "slow down", "R-1")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(copy), str(copy), copy.code, copy.request_id) == (Throttled, str(error), error.code, "R-1")


@pytest.mark.parametrize("success", [False, "false", "False"])
def test_a_success_that_is_false_is_a_fault(success: object) -> None:
    answer = {"Success": success, "ErrorCode": "Invalid.X", "HttpStatusCode": "400", "RequestId": "r"}
    assert parse_body(answer) == CallFailure(CallStage.ANSWERED, status=400, code="Invalid.X", request_id="r")


@pytest.mark.parametrize(
    "answer", [{"Success": True}, {"Success": "true"}, {"RequestId": "r"}, {"Success": None}]
)
def test_any_other_success_is_an_answer(answer: dict[str, object]) -> None:
    assert parse_body(answer) is answer


@pytest.mark.parametrize("answer", [None, [], "text", 1])
def test_what_is_not_an_object_cannot_be_read(answer: object) -> None:
    assert parse_body(answer) == CallFailure(CallStage.SENT, "Unreadable")


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (Throttled, True),
        (Unreachable, True),
        (ReplyLost, False),
        (AccessDenied, False),
        (RequestRejected, False),
    ],
)
def test_only_what_was_not_carried_out_is_tried_again(error: type[DataWorksError], again: bool) -> None:
    assert is_safe_to_retry(error("GetNode", "X")) is again
    assert issubclass(error, Transient if again or error is ReplyLost else Permanent)


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("GetX", QuotaKind.READ),
        ("ListX", QuotaKind.READ),
        ("UpdateX", QuotaKind.WRITE),
        ("CallbackX", QuotaKind.WRITE),
    ],
)
def test_the_name_of_an_operation_tells_its_quota(action: str, kind: QuotaKind) -> None:
    assert Operation(action, "x").quota_kind is kind


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("a.b", False),
    ],
)
def test_loopback_is_known_by_its_name(host: str, here: bool) -> None:
    assert is_loopback(host) is here
