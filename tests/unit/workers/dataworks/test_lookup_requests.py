"""Requests for lookups: a fixed list of reads with valid arguments, from a sender that is not trusted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from workers.dataworks import errors
from workers.dataworks.errors import DataWorksError, RequestRejected, Unreachable
from workers.dataworks.lookup_requests import catalog, messages
from workers.dataworks.lookup_requests.messages import InvalidRequest, LookupRequest, decode_request
from workers.dataworks.lookups import BoundLookups
from workers.dataworks.operations import QuotaKind

REQUEST = LookupRequest(
    id="0123456789abcdef" * 2,
    lookup="GetNodeChildren",
    arguments={"NodeId": 7, "ProjectEnv": "PROD"},
    deadline_at=1_800_000_060.5,
    expires_at=1_800_000_015.0,
)
TABLE = "odps.shop.t"
VERSION = {"FileId": 7, "ProjectId": 93124, "FileVersion": 2}


@dataclass
class Recorder:
    """Validates lookups instead of making them."""

    found: set[str] = field(default_factory=set)

    def fetch(self, lookup: Any, arguments: Any, *, deadline: float) -> Any:
        assert deadline
        lookup.validate(arguments)
        assert catalog.find_lookup(lookup.name) is lookup
        self.found.add(lookup.name)
        raise RequestRejected(lookup.operation.action, "NotFound")


USES: list[Callable[[BoundLookups], object]] = [
    lambda lookups: lookups.node_children(7),
    lambda lookups: lookups.node_parents(7),
    lambda lookups: lookups.node(7),
    lambda lookups: lookups.node_code(7),
    lambda lookups: lookups.node_inputs(7),
    lambda lookups: lookups.node_outputs(7),
    lambda lookups: lookups.nodes_by_output([f"shop.{'表' * 900}{number}" for number in range(60)]),
    lambda lookups: lookups.baseline(7),
    lambda lookups: lookups.downstream_tables(TABLE),
    lambda lookups: lookups.downstream_columns(f"{TABLE}.c"),
    lambda lookups: lookups.consumers(TABLE),
    lambda lookups: lookups.producing_tasks(TABLE),
    lambda lookups: lookups.table_info(TABLE),
    lambda lookups: lookups.deployed_code(7),
    lambda lookups: lookups._fetch(catalog.FILE_VERSION, VERSION),
    lambda lookups: lookups._fetch(catalog.DATA_STUDIO_FILE_VERSION, VERSION),
]


def test_every_lookup_of_a_check_can_be_requested() -> None:
    recorder = Recorder()
    for use in USES:
        with pytest.raises(RequestRejected, match="NotFound"):
            use(BoundLookups(recorder, time.time() + 10, 93124))
    assert recorder.found == catalog.LOOKUPS.keys()


def test_the_list_has_reads_only() -> None:
    assert {lookup.operation.quota_kind for lookup in catalog.LOOKUPS.values()} == {QuotaKind.READ}


@pytest.mark.parametrize("action", ["UpdateIDEEventResult", "DeleteFile", "GetIDEEventDetail", "", "getnode"])
def test_other_operations_are_refused(action: str) -> None:
    with pytest.raises(Unreachable, match="UnknownLookup"):
        catalog.find_lookup(action)


@pytest.mark.parametrize(
    "arguments",
    [
        {"NodeId": "7", "ProjectEnv": "PROD"},
        {"NodeId": True, "ProjectEnv": "PROD"},
        {"NodeId": 2**63, "ProjectEnv": "PROD"},
        {"NodeId": 7, "ProjectEnv": "prod"},
        {"NodeId": 7, "ProjectEnv": "PROD&Action=DeleteFile"},
    ],
)
def test_an_invalid_argument_is_rejected_like_by_dataworks(arguments: dict[str, Any]) -> None:
    with pytest.raises(RequestRejected, match="InvalidArguments") as caught:
        catalog.NODE.validate(arguments)
    assert "DeleteFile" not in str(caught.value)


@pytest.mark.parametrize("guid", ["", "x" * (catalog.MAX_NAME_LENGTH + 1)])
def test_a_name_of_the_author_s_that_is_none_does_not_exist(guid: str) -> None:
    """It is no fault of the fleet's, which would count as `on_error` says."""
    with pytest.raises(RequestRejected):
        catalog.TABLE_TASKS.validate({"TableGuid": guid})


@pytest.mark.parametrize(
    "arguments",
    [{"NodeId": 7}, {"NodeId": 7, "ProjectEnv": "PROD", "Endpoint": "evil.example.com"}],
)
def test_parameters_of_another_version_are_a_fault_and_not_an_answer(arguments: dict[str, Any]) -> None:
    with pytest.raises(Unreachable, match="UnknownParameters"):
        catalog.NODE.validate(arguments)


def test_a_request_is_decoded_as_it_was_encoded() -> None:
    assert decode_request(messages.encode_request(REQUEST)) == REQUEST


def test_a_field_of_a_later_version_is_ignored() -> None:
    content = orjson.dumps({**REQUEST.model_dump(), "later": 1})
    assert decode_request(content) == REQUEST


CHANGES: dict[str, Any] = {
    "id": ["x", "../../config", "0" * 31, "0" * 32 + "\n", None, 7],
    "lookup": [None, 7, "x" * 101],
    "arguments": [None, [], {"a": None}, {"a": {"b": 1}}, {"a": 1.5}, "x"],
    "deadline_at": [None, "soon", 1e999],
    "expires_at": [None, "later"],
}
GARBAGE = [
    *(b"", b"\xff\x00", b"null", b"[]", b"7", b'"SECRET"', b"{", b"{}", b"[" * 10_000),
    b'{"SECRET": "SECRET"}',
    b'"' + b"x" * messages.MAX_REQUEST_BYTES + b'"',
    *(
        orjson.dumps({**REQUEST.model_dump(), name: value}).replace(b"NodeId", b"SECRET")
        for name, values in CHANGES.items()
        for value in values
    ),
]


@pytest.mark.parametrize("content", GARBAGE, ids=lambda content: repr(content[:40]))
def test_anything_else_is_no_request_and_its_text_is_not_repeated(content: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode_request(content)
    assert "SECRET" not in str(caught.value)


def test_a_response_is_decoded_as_it_was_encoded() -> None:
    response = {"Data": {"Nodes": [{"NodeId": number} for number in range(500)]}}
    reply = messages.encode_reply(response)
    assert len(reply) < 5000
    assert messages.decode_reply("GetNode", reply) == response


@pytest.mark.parametrize(
    "error",
    [
        errors.Throttled("GetNode", "Throttling.User", "", "R-1"),
        errors.Unreachable("GetNode", "ReadTimeout"),
        errors.AccessDenied("GetNode", "NoCredentials", "set a key"),
        errors.RequestRejected("GetNode", "Invalid.Node.NotExists"),
    ],
)
def test_an_error_has_the_same_type_and_text(error: DataWorksError) -> None:
    with pytest.raises(DataWorksError) as caught:
        messages.decode_reply("GetNode", messages.encode_error(error))
    assert type(caught.value) is type(error)
    assert str(caught.value) == str(error)


@pytest.mark.parametrize(
    "reply", [b"", b"z", b"j", b"jnull", b"j[]", b"j{}", b'j{"error": {"kind": "Throttled"}}']
)
def test_an_unreadable_reply_is_a_transient_fault(reply: bytes) -> None:
    with pytest.raises(Unreachable, match="Unreadable"):
        messages.decode_reply("GetNode", reply)
