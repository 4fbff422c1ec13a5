"""All lookups through the real SDK, against the emulator (consistent or not) and a raw server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
import redis

from common.ledger import connect as connect_ledger
from emulator.dataworks import graph_generator
from tests.support.emulator_process import EXTENSION_CODE, PROJECT_ID, Emulator, running, use_credentials
from tests.support.raw_openapi_server import Call, RawOpenApiServer, page
from workers.checks.api import Lookups
from workers.dataworks.client import DataWorks
from workers.dataworks.errors import RequestRejected, Unreachable
from workers.dataworks.lookup_requests.catalog import OUTPUTS_PER_CALL
from workers.dataworks.models import (
    Baseline,
    ColumnRef,
    Consumer,
    Environment,
    NodeOutput,
    ProducingTask,
)
from workers.services import connect_dataworks
from workers.settings import WorkerSettings

ORDERS_NODE = 700123301
ORDERS = "odps.shop.dwd_trade_order_di"
OVERVIEW = "odps.shop.ads_trade_overview_1d"
BUYERS = "odps.shop.dws_trade_user_1d"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


@pytest.fixture
def client(clean_redis_url: str) -> Iterator[redis.Redis]:
    client = connect_ledger(clean_redis_url)
    yield client
    client.close()


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch, client: redis.Redis) -> Callable[[str], DataWorks]:
    use_credentials(monkeypatch)

    def connect(endpoint: str) -> DataWorks:
        settings = WorkerSettings(
            broker_url="redis://127.0.0.1/0",
            redis_url="redis://127.0.0.1/0",
            extension_code=EXTENSION_CODE,
            region="cn-shanghai",
            openapi_endpoint=endpoint,
            openapi_protocol="http",
            openapi_read_qps=1000,
        )
        dataworks = connect_dataworks(settings, client)
        dataworks.warm_up()
        return dataworks

    return connect


@pytest.fixture
def dataworks(connect: Callable[[str], DataWorks], emulator: Emulator) -> Iterator[DataWorks]:
    yield connect(emulator.host_port)
    emulator.clear_faults()


@pytest.fixture
def lookups(dataworks: DataWorks) -> Lookups:
    return dataworks.lookups(time.time() + 30)


@pytest.fixture
def server() -> Iterator[RawOpenApiServer]:
    raw_server = RawOpenApiServer(lambda _: page(200, {"Success": True}))
    yield raw_server
    raw_server.close()


def calls(emulator: Emulator) -> int:
    return sum(emulator.state()["calls"].values())


# Nodes


def test_a_node_has_its_schedule_and_rerun_setting(lookups: Lookups) -> None:
    node = lookups.node(ORDERS_NODE)
    assert (node.cron, node.rerunnable, node.baseline_id, node.priority) == (
        *("00 30 00 * * ?", True),
        *(900101, 8),
    )
    (child, *_) = lookups.node_children(ORDERS_NODE)
    assert (child.cron, child.rerunnable) == ("00 30 00 * * ?", True)


def test_a_node_s_code_inputs_and_outputs(lookups: Lookups) -> None:
    assert lookups.node_code(ORDERS_NODE).startswith("INSERT OVERWRITE TABLE dwd_trade_order_di")
    assert lookups.node_code(700123001) == ""
    assert [output.name for output in lookups.node_inputs(ORDERS_NODE)] == ["shop.ods_trade_order_di"]
    assert lookups.node_outputs(ORDERS_NODE) == (NodeOutput("shop.dwd_trade_order_di", ORDERS_NODE, ORDERS),)
    with pytest.raises(RequestRejected):
        lookups.node_code(1)


def test_nodes_are_found_by_their_outputs_in_one_call(lookups: Lookups, emulator: Emulator) -> None:
    before = calls(emulator)
    outputs = ["shop.dwd_trade_order_di", "shop.none", "", "shop.dim_user_df", "shop.dwd_trade_order_di"]
    found = lookups.nodes_by_output(outputs)
    assert {name: [node.id for node in nodes] for name, nodes in found.items()} == {
        "shop.dwd_trade_order_di": [ORDERS_NODE],
        "shop.none": [],
        "": [],
        "shop.dim_user_df": [700123201],
    }
    assert lookups.nodes_by_output(list(reversed(outputs))) == found
    assert calls(emulator) - before == 1
    assert lookups.nodes_by_output([]) == {}
    assert lookups.nodes_by_output(["", " "]) == {"": (), " ": ()}
    assert calls(emulator) - before == 1


def test_many_outputs_are_queried_in_batches(lookups: Lookups, emulator: Emulator) -> None:
    before = calls(emulator)
    names = [f"shop.none_{number}" for number in range(OUTPUTS_PER_CALL + 1)]
    found = lookups.nodes_by_output([*names, "shop.dwd_trade_order_di"], Environment.DEV)
    assert [node.id for node in found["shop.dwd_trade_order_di"]] == [ORDERS_NODE]
    assert len(found) == len(names) + 1
    assert calls(emulator) - before == 2


def test_a_baseline_is_found_by_its_id_alone(lookups: Lookups) -> None:
    assert lookups.baseline(900101) == Baseline(
        *(900101, "Trade data before the working day", 8), "1923456789012735", enabled=True, due="07:30"
    )
    for _ in range(2):
        with pytest.raises(RequestRejected, match=r"GetBaselineConfig: Invalid\.Baseline\.NotExists"):
            lookups.baseline(7)


def test_a_baseline_without_data_is_rejected(
    connect: Callable[[str], DataWorks], server: RawOpenApiServer
) -> None:
    lookups = connect(server.endpoint).lookups(time.time() + 10)
    for _ in range(2):
        with pytest.raises(RequestRejected, match="GetBaselineConfig: NotFound: no such baseline"):
            lookups.baseline(7)
    assert len(server.calls) == 1


# Tables


def test_columns_derived_from_a_column(lookups: Lookups) -> None:
    found = lookups.downstream_columns(f"{ORDERS}.pay_amount")
    assert ColumnRef(f"{BUYERS}.pay_amount", "pay_amount", "dws_trade_user_1d", "shop") in found
    assert len(found) == 12
    assert lookups.downstream_columns(f"{ORDERS}.pay_amount", limit=3) == found[:3]
    assert lookups.downstream_columns("odps.shop.none.none") == ()


def test_consumers_exclude_tables(lookups: Lookups) -> None:
    assert lookups.consumers(OVERVIEW) == (
        Consumer("dataservice-api.trade_overview"),
        Consumer("quickbi-dashboard.management_day", third_party=True),
    )
    assert lookups.consumers(BUYERS) == (Consumer("crm-segment.buyers_by_orders", third_party=True),)
    assert lookups.consumers(OVERVIEW, limit=1) == (Consumer("dataservice-api.trade_overview"),)
    assert lookups.consumers(ORDERS) == ()
    with pytest.raises(RequestRejected, match="ListLineage: NotFound: not a MaxCompute table"):
        lookups.consumers("hologres.shop.t")


def test_consumers_behind_many_tables_are_found(
    connect: Callable[[str], DataWorks], server: RawOpenApiServer
) -> None:
    def answer(call: Call) -> bytes:
        number = int(call.arguments.get("NextToken", "0"))
        names = [f"maxcompute-table.p.t{number}_{row}" for row in range(100)] if number < 3 else ["api.1"]
        rows = [{"Entity": {"QualifiedName": name}} for name in names]
        data = {"DataEntityList": rows, "NextToken": str(number + 1) if number < 3 else ""}
        return page(200, {"Success": True, "Data": data})

    server.answer = answer
    assert connect(server.endpoint).lookups(time.time() + 10).consumers("odps.p.t", 1) == (Consumer("api.1"),)
    assert len(server.calls) == 4


def test_tasks_that_write_a_table(lookups: Lookups) -> None:
    assert lookups.producing_tasks(ORDERS) == (ProducingTask(str(ORDERS_NODE), "dwd_trade_order_di"),)
    with pytest.raises(RequestRejected, match=r"Invalid\.Table\.NotExists"):
        lookups.producing_tasks("odps.shop.none")


def test_a_table_has_its_owner_and_lifecycle(lookups: Lookups) -> None:
    table = lookups.table_info(ORDERS)
    assert (table.owner, table.project_id, table.project_name) == ("1923456789012735", PROJECT_ID, "shop")
    assert (table.lifecycle, table.comment, len(table.columns)) == (730, "Cleaned orders", 8)


# Inconsistent lists


@pytest.mark.parametrize("kind", ["endless", "changing"])
def test_inconsistent_lists_are_read_completely(lookups: Lookups, emulator: Emulator, kind: str) -> None:
    emulator.add_graph(nodes=900, layers=3, workspaces=1)
    children = {f"odps.shop0.{node.name}" for node in lookups.node_children(graph_generator.ROOT)}
    table = "odps.shop0.ods_t00000_di"
    emulator.fault(kind, times=None)
    before = calls(emulator)
    tables = lookups.downstream_tables(table)
    columns = lookups.downstream_columns(f"{table}.id")
    assert {found.guid for found in tables} == {found.guid[:-3] for found in columns} == children
    assert (len(tables), len(columns)) == (449, 449)
    assert lookups.consumers(table) == ()
    assert len(lookups.table_info(table).columns) == 4
    assert calls(emulator) - before <= 3 * 6 + 2


# The extension and its options


def test_the_extension_has_its_parameters(dataworks: DataWorks, emulator: Emulator) -> None:
    found = dataworks.extension(deadline=time.time() + 10)
    assert (found.status, found.parameters) == (1, "extension.manualPass.enabled=true")
    assert (found.code, found.test_project_id, len(found.points)) == (emulator.extension_code, 93124, 30)
    before = calls(emulator)
    assert dataworks.extension(deadline=time.time() + 10) == found
    assert calls(emulator) == before
    assert dataworks.current_extension(deadline=time.time() + 10) == found
    assert calls(emulator) == before + 1


@pytest.mark.parametrize(
    ("saved", "read"),
    [('{"checkStatus": "WARN"}', '{"checkStatus": "WARN"}'), ("no JSON", "no JSON"), ("", None)],
)
def test_options_are_read_as_they_were_saved(
    connect: Callable[[str], DataWorks],
    emulator: Emulator,
    client: redis.Redis,
    saved: str,
    read: str | None,
) -> None:
    project, dataworks = uuid4().int % 10**8, connect(emulator.host_port)
    assert dataworks.option_value(project, deadline=time.time() + 10) is None
    extension = {"Status": 1, "ParameterSetting": "extension.manualPass.enabled=true"}
    emulator.add_to_world(extension={**extension, "options": {project: saved}})
    assert dataworks.option_value(project, deadline=time.time() + 10) is None, "None is cached as well"
    client.flushdb()
    other_process = connect(emulator.host_port)
    assert other_process.option_value(project, deadline=time.time() + 10) == read


def test_options_that_cannot_be_read_are_an_error(
    connect: Callable[[str], DataWorks], server: RawOpenApiServer
) -> None:
    server.answer = lambda _: page(200, {"OptionValue": {"checkStatus": "WARN"}})
    with pytest.raises(
        Unreachable, match="GetOptionValueForProject: Unreadable: OptionValue is not a string"
    ):
        connect(server.endpoint).option_value(7, deadline=time.time() + 10)
