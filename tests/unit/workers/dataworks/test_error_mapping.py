from __future__ import annotations

import pickle

import pytest

from workers.dataworks import operations
from workers.dataworks.error_mapping import CallFailure, CallStage, to_error
from workers.dataworks.errors import (
    AccessDenied,
    Busy,
    DataWorksError,
    NotFound,
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

RESPONSES: list[tuple[int | None, str | None, type[DataWorksError], type[DataWorksError]]] = [
    # status, code, error of a read, error of a write
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

CODES: list[tuple[Operation, str, bool]] = [
    (operations.NODE, "Invalid.Node.NotExists", True),
    (operations.NODE, "NotFound", True),
    (operations.NODE, "Invalid.Table.NotExists", False),
    (operations.TABLE_INFO, "Invalid.Meta.TableNotExist", True),
    (operations.TABLE_INFO, "InvalidParameter.Meta.NotExist", True),
    (operations.TABLE_INFO, "Invalid.Tenant.TableNotExists", True),
    (operations.TABLE_INFO, "TABLE_NOT_FOUND", True),
    (operations.TABLE_INFO, "Invalid.Tenant.ConnectionNotExists", False),
    (operations.TABLE_INFO, "Forbidden.Meta.NoTenant", False),
    (operations.FILE_VERSIONS, "Invalid.File.NotExists", True),
    (operations.FILE_VERSION, "Invalid.FileVersion.NotExists", True),
    (operations.FILE_VERSIONS, "InvalidVersion.NotFound", False),
    (operations.FILE_VERSIONS, "Invalid.Tenant.ProjectNotExists", False),
    (operations.FILE_VERSIONS, "MissingProjectId", False),
    (operations.FILE_VERSIONS, "InvalidApi.NotFound", False),
    (operations.FILE_VERSIONS, "NotSuccessful", False),
    (operations.EXTENSION, "InvalidParameter.ExtensionCode", False),
]


@pytest.mark.parametrize(("operation", "code", "expected"), CODES)
def test_only_a_code_about_the_object_says_that_it_does_not_exist(
    operation: Operation, code: str, expected: bool
) -> None:
    error = to_error(operation, CallFailure(CallStage.ANSWERED, status=400, code=code))
    assert isinstance(error, NotFound) is expected


@pytest.mark.parametrize(("status", "code", "read_error", "write_error"), RESPONSES)
def test_an_error_response_is_mapped_by_status_and_code(
    status: int | None, code: str | None, read_error: type[DataWorksError], write_error: type[DataWorksError]
) -> None:
    failure = CallFailure(CallStage.ANSWERED, status=status, code=code, request_id="R-1")
    assert type(to_error(READ, failure)) is read_error
    assert type(to_error(WRITE, failure)) is write_error
    assert "R-1" in str(to_error(READ, failure))


@pytest.mark.parametrize(
    ("stage", "read_error", "write_error"),
    [
        (CallStage.NO_CREDENTIALS, AccessDenied, AccessDenied),
        (CallStage.NOT_SENT, Unreachable, Unreachable),
        (CallStage.SENT, Unreachable, ReplyLost),
    ],
)
def test_a_call_without_a_response_is_mapped_by_its_stage(
    stage: CallStage, read_error: type[DataWorksError], write_error: type[DataWorksError]
) -> None:
    assert type(to_error(READ, CallFailure(stage, "ReadTimeout"))) is read_error
    assert type(to_error(WRITE, CallFailure(stage, "ReadTimeout"))) is write_error


def test_codes_with_unsafe_characters_are_left_out_of_the_text() -> None:
    failure = CallFailure(
        CallStage.ANSWERED, status=400, code="POST&%2F&Signature=abc secret", request_id="None"
    )
    error = to_error(READ, failure)
    assert str(error) == "GetNode: Http400"
    assert error.request_id is None


def test_an_error_can_be_pickled() -> None:
    error = Throttled("GetNode", "Throttling.User", "slow down", "R-1")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(copy), str(copy), copy.code, copy.request_id) == (Throttled, str(error), error.code, "R-1")


@pytest.mark.parametrize("success", [False, "false", "False"])
def test_success_false_is_a_failure(success: object) -> None:
    answer = {"Success": success, "ErrorCode": "Invalid.X", "HttpStatusCode": "400", "RequestId": "r"}
    assert parse_body(answer) == CallFailure(CallStage.ANSWERED, status=400, code="Invalid.X", request_id="r")


@pytest.mark.parametrize(
    "answer", [{"Success": True}, {"Success": "true"}, {"RequestId": "r"}, {"Success": None}]
)
def test_any_other_success_is_a_response(answer: dict[str, object]) -> None:
    assert parse_body(answer) is answer


@pytest.mark.parametrize("answer", [None, [], "text", 1])
def test_a_body_that_is_not_an_object_is_unreadable(answer: object) -> None:
    assert parse_body(answer) == CallFailure(CallStage.SENT, "Unreadable")


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (Throttled, True),
        (Unreachable, True),
        (ReplyLost, False),
        (Busy, False),
        (AccessDenied, False),
        (RequestRejected, False),
    ],
)
def test_only_calls_that_were_not_applied_are_retried(error: type[DataWorksError], retried: bool) -> None:
    assert is_safe_to_retry(error("GetNode", "X")) is retried
    assert issubclass(error, Transient if retried or error in {ReplyLost, Busy} else Permanent)


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("GetX", QuotaKind.READ),
        ("ListX", QuotaKind.READ),
        ("UpdateX", QuotaKind.WRITE),
        ("CallbackX", QuotaKind.WRITE),
    ],
)
def test_an_operation_s_name_decides_its_quota(action: str, kind: QuotaKind) -> None:
    assert Operation(action, "x").quota_kind is kind


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("a.b", False),
    ],
)
def test_loopback_hosts_are_recognized(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
