from __future__ import annotations

import pickle

import pytest

from workers.dataworks import operations
from workers.dataworks.error_mapping import Fault, Stage, classify
from workers.dataworks.errors import (
    DataWorksError,
    Denied,
    Final,
    Refused,
    ReplyLost,
    Throttled,
    Transient,
    Unreachable,
)
from workers.dataworks.invoker import harmless
from workers.dataworks.operations import Kind, Operation
from workers.dataworks.transport import is_loopback, read

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
    (400, "InternalError.UserId.Missing", Refused, Refused),
    (403, "Forbidden.Access", Denied, Denied),
    (403, "Forbidden.RAM", Denied, Denied),
    (403, "None", Denied, Denied),
    (401, None, Denied, Denied),
    (400, "NoPermission", Denied, Denied),
    (404, "InvalidAccessKeyId.NotFound", Denied, Denied),
    (400, "InvalidAccessKeyId.Inactive", Denied, Denied),
    (400, "InvalidSecurityToken.Expired", Denied, Denied),
    (400, "SignatureDoesNotMatch", Denied, Denied),
    (404, "InvalidApi.NotFound", Refused, Refused),
    (400, "InvalidTimeStamp.Expired", Refused, Refused),
    (400, "SignatureNonceUsed", Refused, Refused),
    (400, "MissingMessageId", Refused, Refused),
    (None, "Invalid.Tenant.ProjectNotExists", Refused, Refused),
    (404, "None", Refused, Refused),
]


@pytest.mark.parametrize(("status", "code", "of_read", "of_write"), ANSWERS)
def test_an_answered_error_is_read_by_status_and_code(
    status: int | None, code: str | None, of_read: type[DataWorksError], of_write: type[DataWorksError]
) -> None:
    fault = Fault(Stage.ANSWERED, status=status, code=code, request_id="R-1")
    assert type(classify(READ, fault)) is of_read
    assert type(classify(WRITE, fault)) is of_write
    assert "R-1" in str(classify(READ, fault))


@pytest.mark.parametrize(
    ("stage", "of_read", "of_write"),
    [
        (Stage.NO_CREDENTIALS, Denied, Denied),
        (Stage.NOT_SENT, Unreachable, Unreachable),
        (Stage.SENT, Unreachable, ReplyLost),
    ],
)
def test_without_an_answer_it_counts_how_far_the_call_came(
    stage: Stage, of_read: type[DataWorksError], of_write: type[DataWorksError]
) -> None:
    assert type(classify(READ, Fault(stage, "ReadTimeout"))) is of_read
    assert type(classify(WRITE, Fault(stage, "ReadTimeout"))) is of_write


def test_codes_that_are_not_words_do_not_get_into_the_text() -> None:
    fault = Fault(Stage.ANSWERED, status=400, code="POST&%2F&Signature=abc secret", request_id="None")
    error = classify(READ, fault)
    assert str(error) == "GetNode: Http400"
    assert error.request_id is None


def test_an_error_outlives_the_way_between_processes() -> None:
    error = Throttled("GetNode", "Throttling.User", "slow down", "R-1")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(copy), str(copy), copy.code, copy.request_id) == (Throttled, str(error), error.code, "R-1")


@pytest.mark.parametrize("success", [False, "false", "False"])
def test_a_success_that_is_false_is_a_fault(success: object) -> None:
    answer = {"Success": success, "ErrorCode": "Invalid.X", "HttpStatusCode": "400", "RequestId": "r"}
    assert read(answer) == Fault(Stage.ANSWERED, status=400, code="Invalid.X", request_id="r")


@pytest.mark.parametrize(
    "answer", [{"Success": True}, {"Success": "true"}, {"RequestId": "r"}, {"Success": None}]
)
def test_any_other_success_is_an_answer(answer: dict[str, object]) -> None:
    assert read(answer) is answer


@pytest.mark.parametrize("answer", [None, [], "text", 1])
def test_what_is_not_an_object_cannot_be_read(answer: object) -> None:
    assert read(answer) == Fault(Stage.SENT, "Unreadable")


@pytest.mark.parametrize(
    ("error", "again"),
    [(Throttled, True), (Unreachable, True), (ReplyLost, False), (Denied, False), (Refused, False)],
)
def test_only_what_was_not_carried_out_is_tried_again(error: type[DataWorksError], again: bool) -> None:
    assert harmless(error("GetNode", "X")) is again
    assert issubclass(error, Transient if again or error is ReplyLost else Final)


@pytest.mark.parametrize(
    ("action", "kind"),
    [("GetX", Kind.READ), ("ListX", Kind.READ), ("UpdateX", Kind.WRITE), ("CallbackX", Kind.WRITE)],
)
def test_the_name_of_an_operation_tells_its_quota(action: str, kind: Kind) -> None:
    assert Operation(action, "x").kind is kind


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
