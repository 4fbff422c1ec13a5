"""The client through the real SDK, against the emulator and a raw server with endless pages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import redis
from alibabacloud_credentials.utils import auth_util

from common.extension_points import ResultOperation
from common.ledger import connect as connect_ledger
from common.verdicts import Result
from tests.support.emulator_process import Emulator, running
from tests.support.raw_openapi_server import Call, RawOpenApiServer, page, refusal
from workers.checks.api import Lookups
from workers.dataworks.client import DataWorks
from workers.dataworks.errors import AccessDenied, ReplyLost, RequestRejected, Throttled, Unreachable
from workers.dataworks.invoker import MAX_ATTEMPTS
from workers.dataworks.models import Environment, ProcessStatus
from workers.services import connect_dataworks
from workers.settings import WorkerSettings

PROJECT = 93124
NEW_STUDIO_FILE = 7234567890123456789
POINTS = {
    ResultOperation.IDE: "commit-file",
    ResultOperation.WORKBENCH: "freeze-node",
    ResultOperation.CALLBACK: "start-diJob",
}
FILE = {"FileId": 1, "FileName": "f", "FileType": 10, "Content": "SELECT 1", "ChangeType": "CREATE"}

Connect = Callable[..., DataWorks]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    client = connect_ledger(redis_url)
    yield client
    client.close()


@pytest.fixture
def connect(
    monkeypatch: pytest.MonkeyPatch, emulator: Emulator, client: redis.Redis, redis_url: str
) -> Iterator[Connect]:
    # The SDK reads the environment at import, which may have happened in an earlier test.
    monkeypatch.setattr(auth_util, "environment_access_key_id", emulator.key_id)
    monkeypatch.setattr(auth_util, "environment_access_key_secret", emulator.key_secret)

    def connect(
        endpoint: str = emulator.host_port, code: str = emulator.extension_code, **more: Any
    ) -> DataWorks:
        settings = WorkerSettings(
            broker_url=redis_url,
            redis_url=redis_url,
            extension_code=code,
            region="cn-shanghai",
            openapi_endpoint=endpoint,
            openapi_protocol="http",
            **{"openapi_read_qps": 1000, "openapi_write_qps": 1000, **more},
        )
        dataworks = connect_dataworks(settings, client)
        dataworks.warm_up()  # otherwise the first test measures loading the SDK
        return dataworks

    yield connect
    emulator.clear_faults()


@pytest.fixture
def dataworks(connect: Connect, client: redis.Redis) -> DataWorks:
    for key in client.scan_iter(match="dwgate:*:lookup:*"):
        client.delete(key)
    return connect()


@pytest.fixture
def server() -> Iterator[RawOpenApiServer]:
    raw_server = RawOpenApiServer(lambda _: page(200, {"Success": True}))
    yield raw_server
    raw_server.close()


@pytest.fixture
def message_id() -> str:
    return uuid4().hex


def soon(seconds: float = 10) -> float:
    return time.time() + seconds


@pytest.mark.parametrize("operation", list(ResultOperation))
@pytest.mark.parametrize("result", list(Result))
def test_a_verdict_is_posted_by_the_operation_of_its_point(
    dataworks: DataWorks, emulator: Emulator, message_id: str, operation: ResultOperation, result: Result
) -> None:
    emulator.start_process(message_id, POINTS[operation])
    dataworks.post_result(
        operation, message_id, result, "不行: no partition\n~*+ &=%", deadline=soon(), deadline_at=soon()
    )
    (post,) = emulator.verdicts(message_id)
    assert post["action"] == operation.value
    assert post["extension_code"] == emulator.extension_code
    assert post["tip"] == "不行: no partition\n~*+ &=%"
    downgraded = operation is ResultOperation.WORKBENCH and result is Result.WARN
    assert (post["result"], post["status"]) == (Result.OK if downgraded else result, "first")


def test_a_throttled_verdict_is_retried(dataworks: DataWorks, emulator: Emulator, message_id: str) -> None:
    emulator.start_process(message_id, "commit-file")
    emulator.fault("throttle", message_id=message_id, times=MAX_ATTEMPTS - 1)
    dataworks.post_result(ResultOperation.IDE, message_id, Result.OK, "", deadline=soon(), deadline_at=soon())
    assert [post["status"] for post in emulator.verdicts(message_id)] == ["fault", "fault", "first"]


def test_it_gives_up_after_three_attempts(dataworks: DataWorks, emulator: Emulator, message_id: str) -> None:
    emulator.start_process(message_id, "commit-file")
    emulator.fault("throttle", message_id=message_id, times=None)
    with pytest.raises(Throttled, match=r"UpdateIDEEventResult: Throttling\.Api"):
        dataworks.post_result(
            ResultOperation.IDE, message_id, Result.OK, "", deadline=soon(), deadline_at=soon()
        )
    assert len(emulator.verdicts(message_id)) == MAX_ATTEMPTS


def test_it_gives_up_rather_than_sleep_past_the_deadline(
    dataworks: DataWorks, emulator: Emulator, message_id: str
) -> None:
    emulator.start_process(message_id, "commit-file")
    emulator.fault("throttle", message_id=message_id, times=None)
    deadline = soon(0.15)
    with pytest.raises(Throttled):
        dataworks.post_result(
            ResultOperation.IDE, message_id, Result.OK, "", deadline=deadline, deadline_at=soon()
        )
    assert time.time() < deadline
    assert len(emulator.verdicts(message_id)) == 1


@pytest.mark.parametrize("kind", ["lost", "reset", "html", "error"])
def test_a_verdict_whose_reply_is_lost_is_not_retried(
    dataworks: DataWorks, emulator: Emulator, message_id: str, kind: str
) -> None:
    emulator.start_process(message_id, "commit-file")
    emulator.fault(kind, message_id=message_id, times=None)
    with pytest.raises(ReplyLost):
        dataworks.post_result(
            ResultOperation.IDE, message_id, Result.FAIL, "", deadline=soon(), deadline_at=soon()
        )
    assert len(emulator.verdicts(message_id)) == 1


def test_a_hanging_verdict_ends_at_the_deadline(
    dataworks: DataWorks, emulator: Emulator, message_id: str
) -> None:
    emulator.start_process(message_id, "commit-file")
    emulator.fault("hang", message_id=message_id, seconds=3)
    deadline = soon(0.5)
    with pytest.raises(ReplyLost):
        dataworks.post_result(
            ResultOperation.IDE, message_id, Result.FAIL, "", deadline=deadline, deadline_at=soon()
        )
    assert time.time() < deadline + 0.5


def test_a_read_whose_reply_is_lost_is_retried(
    dataworks: DataWorks, emulator: Emulator, message_id: str
) -> None:
    emulator.start_process(message_id, "commit-file", snapshot={"CommittedFile": FILE})
    emulator.fault("reset", action="GetIDEEventDetail", times=1)
    emulator.fault("html", action="GetIDEEventDetail", times=1)
    snapshot = dataworks.event_detail(message_id, PROJECT, deadline=soon())
    assert snapshot.file
    assert (snapshot.file.file_id, snapshot.file.content) == (1, "SELECT 1")


def test_a_rejection_is_not_retried(connect: Connect, server: RawOpenApiServer) -> None:
    server.answer = lambda _: refusal(400, "InvalidParameter.MessageId")
    with pytest.raises(
        RequestRejected, match=r"^CallbackExtension: InvalidParameter\.MessageId \(request R-1\)$"
    ):
        connect(server.endpoint).post_result(
            ResultOperation.CALLBACK, "m", Result.OK, "", deadline=soon(), deadline_at=soon()
        )
    assert len(server.calls) == 1
    assert server.calls[0].arguments["MessageId"] == "m"


def test_pending_processes_are_listed(dataworks: DataWorks, emulator: Emulator) -> None:
    ids = [uuid4().hex for _ in range(3)]
    for message_id in ids:
        emulator.start_process(message_id, "deploy-table", project_id=5, operator="9")
    dataworks.post_result(ResultOperation.IDE, ids[0], Result.FAIL, "", deadline=soon(), deadline_at=soon())
    checking = dataworks.check_processes(
        "deploy-table", project_id=5, status=ProcessStatus.CHECKING, deadline=soon()
    )
    assert {process.message_id for process in checking} == set(ids[1:])
    (blocked,) = dataworks.check_processes("deploy-table", message_id=ids[0], deadline=soon())
    assert (blocked.status, blocked.project_id, blocked.operator) == (ProcessStatus.BLOCKED, 5, "9")


def processes(call: Call, size: int, total: int | None) -> bytes:
    first = (int(call.arguments["PageNumber"]) - 1) * size
    rows = [
        {"MessageId": f"m-{number}"}
        for number in range(first, min(first + size, 10**6 if total is None else total))
    ]
    paging: dict[str, Any] = {"CheckProcesses": rows, "TotalCount": total}
    return page(200, {"PagingInfo": paging})


@pytest.mark.parametrize(("size", "total", "calls"), [(100, 250, 3), (20, 50, 3), (100, 100, 1), (100, 0, 1)])
def test_all_pages_are_listed_whatever_their_size(
    connect: Connect, server: RawOpenApiServer, size: int, total: int, calls: int
) -> None:
    server.answer = lambda call: processes(call, size, total)
    found = connect(server.endpoint).check_processes("commit-file", deadline=soon())
    assert (len(found), len(server.calls)) == (total, calls)


def test_endless_pages_stop_at_the_maximum(connect: Connect, server: RawOpenApiServer) -> None:
    server.answer = lambda call: processes(call, 100, None)
    assert len(connect(server.endpoint).check_processes("commit-file", deadline=soon(30))) == 5000


def test_repeated_pages_end_the_list(connect: Connect, server: RawOpenApiServer) -> None:
    server.answer = lambda _: page(
        200, {"PagingInfo": {"CheckProcesses": [{"MessageId": "m"}], "TotalCount": 7}}
    )
    assert len(connect(server.endpoint).check_processes("commit-file", deadline=soon())) == 1
    assert len(server.calls) == 2


def test_nodes_are_looked_up_and_cached(dataworks: DataWorks, emulator: Emulator) -> None:
    lookups: Lookups = dataworks.lookups(soon())
    node = lookups.node(700123101)
    assert (node.name, node.project_id, node.program_type) == ("ods_trade_order_di", PROJECT, "DI")
    assert [parent.name for parent in lookups.node_parents(700123101)] == ["shop_root"]
    children = lookups.node_children(700123001)
    assert "ods_trade_order_di" in {child.name for child in children}
    before = emulator.state()["calls"]
    assert lookups.node(700123101) == node
    assert lookups.node_children(700123001) == children
    assert emulator.state()["calls"] == before
    lookups.node_children(700123001, Environment.DEV)
    assert emulator.state()["calls"] != before


def test_a_lookup_that_has_begun_in_time_may_take_longer_and_no_other_begins(
    connect: Connect, server: RawOpenApiServer
) -> None:
    dataworks = connect(server.endpoint, uuid4().hex)
    late = threading.Event()

    def answer(_: Call) -> bytes:
        assert late.wait(10)
        return page(200, {"Success": True, "Data": {"Nodes": [{"NodeId": 8}]}})

    server.answer = answer
    begin_by = soon(0.5)
    lookups = dataworks.lookups(soon(), begin_by=begin_by)
    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(lookups.node_children, 7)
        while time.time() <= begin_by:
            time.sleep(0.01)
        late.set()
        assert [node.id for node in begun.result()] == [8]
    with pytest.raises(Unreachable, match="TooLate"):
        lookups.node_children(8)
    again = dataworks.lookups(soon(), begin_by=begin_by)
    assert [node.id for node in again.node_children(7)] == [8], "it is in the cache"
    assert len(server.calls) == 1


def test_a_lookup_waits_for_the_quota_until_no_other_may_begin(
    connect: Connect, server: RawOpenApiServer
) -> None:
    server.answer = lambda _: page(200, {"Success": True, "Data": {"Nodes": []}})
    dataworks = connect(server.endpoint, uuid4().hex, openapi_read_qps=1)
    dataworks.lookups(soon()).node_children(1)
    started = time.monotonic()
    with pytest.raises(Throttled):
        dataworks.lookups(soon(20), begin_by=soon(0.3)).node_children(2)
    assert time.monotonic() - started < 10
    assert len(server.calls) == 1


def test_a_missing_node_is_rejected(dataworks: DataWorks) -> None:
    with pytest.raises(RequestRejected, match=r"GetNode: Invalid\.Node\.NotExists"):
        dataworks.lookups(soon()).node(1)


def test_a_node_without_data_is_rejected(connect: Connect, server: RawOpenApiServer) -> None:
    server.answer = lambda _: page(200, {"Success": True, "Data": None})
    with pytest.raises(RequestRejected, match="GetNode: NotFound"):
        connect(server.endpoint, uuid4().hex).lookups(soon()).node(1)


def test_a_broken_response_is_an_error_and_not_cached(connect: Connect, server: RawOpenApiServer) -> None:
    dataworks = connect(server.endpoint, uuid4().hex)
    server.answer = lambda _: page(200, {"Success": True, "Data": {"Nodes": [{"NodeName": "x"}]}})
    with pytest.raises(Unreachable, match="GetNodeChildren: Unreadable: NodeId is missing"):
        dataworks.lookups(soon()).node_children(7)
    server.answer = lambda _: page(200, {"Success": True, "Data": {"Nodes": [{"NodeId": 8}]}})
    assert [node.id for node in dataworks.lookups(soon()).node_children(7)] == [8]


def test_downstream_tables_are_looked_up(dataworks: DataWorks) -> None:
    tables = dataworks.lookups(soon()).downstream_tables("odps.shop.ods_trade_order_di")
    assert "odps.shop.dwd_trade_order_di" in {table.guid for table in tables}
    assert {table.database for table in tables} == {"shop"}


def test_a_table_is_looked_up_with_its_columns(dataworks: DataWorks) -> None:
    table = dataworks.lookups(soon()).table_info("odps.shop.ods_trade_order_di")
    assert {column.name: column.type for column in table.columns}["order_id"] == "BIGINT"
    assert [column.name for column in table.columns if column.partition] == ["ds"]
    with pytest.raises(RequestRejected):
        dataworks.lookups(soon()).table_info("odps.shop.no_such_table")


def test_all_columns_of_a_wide_table_are_read(connect: Connect, server: RawOpenApiServer) -> None:
    def answer(call: Call) -> bytes:
        first = (int(call.arguments["PageNum"]) - 1) * 100
        columns = [{"ColumnName": f"c{number}"} for number in range(first, min(first + 100, 230))]
        data = {"TableGuid": "odps.p.wide", "ColumnList": columns, "TotalColumnCount": 230}
        return page(200, {"Success": True, "Data": data})

    server.answer = answer
    table = connect(server.endpoint, uuid4().hex).lookups(soon()).table_info("odps.p.wide")
    assert (len(table.columns), len(server.calls)) == (230, 3)


@pytest.mark.parametrize(
    ("file_id", "table"), [(501234301, "dwd_trade_order_di"), (NEW_STUDIO_FILE, "ads_trade_overview_1d")]
)
def test_the_code_in_production_is_looked_up_in_either_data_studio(
    dataworks: DataWorks, file_id: int, table: str
) -> None:
    code = dataworks.lookups(soon(), PROJECT).deployed_code(file_id)
    assert code is not None
    assert table in code


@pytest.mark.parametrize("file_id", [999, NEW_STUDIO_FILE + 1])
def test_a_file_that_does_not_exist_has_no_code_in_production(dataworks: DataWorks, file_id: int) -> None:
    assert dataworks.lookups(soon(), PROJECT).deployed_code(file_id) is None
    assert dataworks.lookups(soon(), PROJECT + 1).deployed_code(501234301) is None, "not in this workspace"


def test_without_a_workspace_the_code_in_production_is_not_known(dataworks: DataWorks) -> None:
    with pytest.raises(RequestRejected, match="NoWorkspace"):
        dataworks.lookups(soon()).deployed_code(501234301)


def versions(*numbers: int, production: int | None = None) -> bytes:
    rows = [{"FileVersion": number, "IsCurrentProd": number == production} for number in numbers]
    return page(200, {"Success": True, "Data": {"FileVersions": rows}})


def failed(code: str) -> bytes:
    return page(200, {"Success": False, "ErrorCode": code})


CODE = page(200, {"Success": True, "Data": {"FileContent": "SELECT 1"}})
NO_FILE, REFUSED, DENIED = (
    failed("Invalid.File.NotExists"),
    failed("Invalid.Workspace"),
    failed("Forbidden.X"),
)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (versions(2, 1, production=1), NO_FILE, "SELECT 1"),
        (versions(2, 1), REFUSED, None),
        (NO_FILE, versions(1, production=1), "SELECT 1"),
        (versions(), versions(1, production=1), "SELECT 1"),
        (REFUSED, versions(1, production=1), "SELECT 1"),
        (DENIED, versions(1), None),
        (NO_FILE, NO_FILE, None),
        (NO_FILE, REFUSED, None),
        (NO_FILE, DENIED, None),
        (REFUSED, NO_FILE, RequestRejected),
        (REFUSED, versions(), RequestRejected),
        (REFUSED, DENIED, RequestRejected),
        (DENIED, NO_FILE, AccessDenied),
    ],
)
@pytest.mark.parametrize("in_new_studio", [False, True])
def test_a_refusal_is_never_a_new_file(
    connect: Connect,
    server: RawOpenApiServer,
    old: bytes,
    new: bytes,
    expected: str | type[Exception] | None,
    in_new_studio: bool,
) -> None:
    def answer(call: Call) -> bytes:
        assert call.arguments["ProjectId"] == str(PROJECT)
        asked_first = (call.version == "2024-05-18") is in_new_studio
        return CODE if call.action == "GetFileVersion" else old if asked_first else new

    server.answer = answer
    lookups = connect(server.endpoint, uuid4().hex).lookups(soon(), PROJECT)
    file_id = NEW_STUDIO_FILE if in_new_studio else 1
    if isinstance(expected, type):
        for _ in range(2):  # the second time from the cache
            with pytest.raises(expected):
                lookups.deployed_code(file_id)
    else:
        assert lookups.deployed_code(file_id) == expected


def test_the_code_of_a_listed_version_is_required(connect: Connect, server: RawOpenApiServer) -> None:
    listed = versions(1, production=1)
    server.answer = lambda call: REFUSED if call.action == "GetFileVersion" else listed
    with pytest.raises(RequestRejected):
        connect(server.endpoint, uuid4().hex).lookups(soon(), PROJECT).deployed_code(1)


def lineage(call: Call, next_key: Callable[[int], str], size: int = 10) -> bytes:
    first = int(call.arguments.get("NextPrimaryKey", "0"))
    rows = [{"TableGuid": f"odps.p.t{number}"} for number in range(first, first + size)]
    data = {"DataEntityList": rows, "HasNext": True, "NextPrimaryKey": next_key(first + size)}
    return page(200, {"Success": True, "Data": data})


def test_endless_lineage_stops_at_the_maximum(connect: Connect, server: RawOpenApiServer) -> None:
    server.answer = lambda call: lineage(call, str)
    tables = connect(server.endpoint, uuid4().hex).lookups(soon(30)).downstream_tables("odps.p.x")
    assert (len(tables), len(server.calls)) == (500, 50)


def test_a_repeated_key_ends_the_lineage(connect: Connect, server: RawOpenApiServer) -> None:
    server.answer = lambda call: lineage(call, lambda _: "10")
    tables = connect(server.endpoint, uuid4().hex).lookups(soon()).downstream_tables("odps.p.x")
    assert (len(tables), len(server.calls)) == (20, 2)


def test_no_lineage_is_read_beyond_the_limit(connect: Connect, server: RawOpenApiServer) -> None:
    server.answer = lambda call: lineage(call, str)
    tables = connect(server.endpoint, uuid4().hex).lookups(soon()).downstream_tables("odps.p.x", 15)
    assert (len(tables), len(server.calls)) == (15, 2)


def test_the_quota_limits_calls_and_raises_at_the_deadline(
    connect: Connect, server: RawOpenApiServer
) -> None:
    dataworks = connect(server.endpoint, uuid4().hex, openapi_write_qps=1)
    dataworks.post_result(ResultOperation.IDE, "m-1", Result.OK, "", deadline=soon(), deadline_at=soon())
    with pytest.raises(Throttled, match="UpdateIDEEventResult: quota"):
        dataworks.post_result(
            ResultOperation.IDE, "m-2", Result.OK, "", deadline=soon(0.3), deadline_at=soon()
        )
    assert [call.arguments["MessageId"] for call in server.calls] == ["m-1"]


def test_a_query_about_a_verdict_precedes_lookups(connect: Connect, server: RawOpenApiServer) -> None:
    dataworks = connect(server.endpoint, uuid4().hex, openapi_read_qps=1)
    dataworks.lookups(soon()).node_children(1)
    threads = [
        threading.Thread(target=dataworks.lookups(soon()).node_children, args=(node_id,))
        for node_id in (2, 3)
    ]
    for thread in threads:
        thread.start()
    dataworks.check_processes("commit-file", message_id="m", deadline=soon(60))
    for thread in threads:
        thread.join()
    assert [call.action for call in server.calls].index("ListCheckProcesses") == 1


def test_the_verdict_with_the_earliest_deadline_goes_first(
    connect: Connect, server: RawOpenApiServer, client: redis.Redis
) -> None:
    code = uuid4().hex
    dataworks = connect(server.endpoint, code, openapi_write_qps=1)
    dataworks.post_result(ResultOperation.IDE, "first", Result.OK, "", deadline=soon(), deadline_at=soon())
    threads = [
        threading.Thread(
            target=dataworks.post_result,
            args=(ResultOperation.IDE, name, Result.OK, ""),
            kwargs={"deadline": soon(), "deadline_at": soon(seconds)},
        )
        for name, seconds in (("far", 90), ("near", 30))
    ]
    for number, thread in enumerate(threads, 1):
        thread.start()
        limit = time.monotonic() + 10
        while client.zcard(f"dwgate:{{{code}}}:quota:write:waiters") != number:
            assert time.monotonic() < limit
            time.sleep(0.005)
    for thread in threads:
        thread.join()
    assert [call.arguments["MessageId"] for call in server.calls] == ["first", "near", "far"]
