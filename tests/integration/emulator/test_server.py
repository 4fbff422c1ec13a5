"""The emulator as a real process, called through the real SDK."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from alibabacloud_dataworks_public20200518 import models
from alibabacloud_dataworks_public20200518.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException
from alibabacloud_tea_openapi.models import Config
from darabonba.exceptions import UnretryableException

from emulator.dataworks import graph_generator
from emulator.dataworks.operations.extensions import EXTENSION_FIELDS
from emulator.dataworks.rate_limit import RateWindow
from emulator.dataworks.responses import GatewayError
from emulator.samples import load_samples
from tests.support.emulator_process import PROJECT_ID, Emulator, running
from tests.support.running_dwgate import wait_for

DWD_ORDER_NODE = 700123301
BASELINE = 900101
DWD_ORDER_TABLE = "odps.shop.dwd_trade_order_di"


@pytest.fixture(scope="module")
def process() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


@pytest.fixture
def emulator(process: Emulator) -> Iterator[Emulator]:
    """The module's emulator, lenient and without faults; the tests use separate message IDs."""
    yield process
    process.clear_faults()
    process.set_profile("lenient")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


def sdk(emulator: Emulator, **changes: Any) -> Any:
    """Return an SDK client configured as dwgate configures it."""
    config = {
        "access_key_id": emulator.key_id,
        "access_key_secret": emulator.key_secret,
        "region_id": "cn-shanghai",
        "endpoint": emulator.host_port,
        "protocol": "HTTP",
        "read_timeout": 2000,
    }
    return Client(Config(**{**config, **changes}))


def new_id() -> str:
    return str(uuid.uuid4())


def ide(
    message_id: str, result: str = "OK", tip: str = "fine", extension: str = Emulator.extension_code
) -> Any:
    return models.UpdateIDEEventResultRequest(
        check_result=result, check_result_tip=tip, extension_code=extension, message_id=message_id
    )


def workbench(message_id: str, result: str = "OK") -> Any:
    return models.UpdateWorkbenchEventResultRequest(
        check_result=result,
        check_result_tip="第 1 行 ok + more",
        extension_code=Emulator.extension_code,
        message_id=message_id,
    )


def callback(message_id: str, result: str = "OK", message: str | None = None) -> Any:
    return models.CallbackExtensionRequest(
        check_result=result,
        check_message=message,
        extension_code=Emulator.extension_code,
        message_id=message_id,
    )


def rejection(call: Callable[[], object]) -> tuple[int, str]:
    """Return the status and code of the error that a call raises."""
    with pytest.raises((ClientException, ServerException)) as caught:
        call()
    return caught.value.status_code, caught.value.code


def statuses(emulator: Emulator, message_id: str) -> list[str]:
    return [post["status"] for post in emulator.verdicts(message_id)]


# Results


@pytest.mark.parametrize(("result", "status"), [("OK", "PASSED"), ("WARN", "PASSED"), ("FAIL", "BLOCKED")])
@pytest.mark.parametrize("profile", ["lenient", "strict"])
def test_an_ide_result_ends_its_process(emulator: Emulator, result: str, status: str, profile: str) -> None:
    emulator.set_profile(profile)
    message_id = new_id()
    emulator.start_process(message_id, "commit-file")
    assert emulator.status(message_id) == "CHECKING"
    answer = sdk(emulator).update_ideevent_result(ide(message_id, result, "第 3 行：SELECT *")).body
    assert answer.request_id
    assert emulator.status(message_id) == status
    (post,) = emulator.verdicts(message_id)
    assert (post["result"], post["tip"], post["status"]) == (result, "第 3 行：SELECT *", "first")
    assert abs(post["at"] - time.time()) < 30


def test_a_workbench_result_goes_in_the_query(emulator: Emulator) -> None:
    message_id = new_id()
    emulator.start_process(message_id, "freeze-node")
    answer = sdk(emulator).update_workbench_event_result(workbench(message_id, "FAIL")).body
    assert answer.success is True
    assert emulator.status(message_id) == "BLOCKED"
    assert emulator.verdicts(message_id)[0]["tip"] == "第 1 行 ok + more"


def test_a_callback_carries_its_reason_as_check_message(emulator: Emulator) -> None:
    message_id = new_id()
    emulator.start_process(message_id, "download-resources", project_id=None)
    answer = sdk(emulator).callback_extension(callback(message_id, "FAIL", "too many rows")).body
    assert answer.success == "true"
    assert emulator.verdicts(message_id)[0]["tip"] == "too many rows"
    assert emulator.status(message_id) == "BLOCKED"


def test_lenient_accepts_a_second_result_and_keeps_the_first(emulator: Emulator) -> None:
    message_id = new_id()
    emulator.start_process(message_id, "commit-file")
    client = sdk(emulator)
    client.update_ideevent_result(ide(message_id, "FAIL"))
    client.update_ideevent_result(ide(message_id, "OK"))
    assert emulator.status(message_id) == "BLOCKED"
    assert [(post["result"], post["status"]) for post in emulator.verdicts(message_id)] == [
        ("FAIL", "first"),
        ("OK", "late"),
    ]


def test_lenient_accepts_other_results_without_effect(emulator: Emulator) -> None:
    message_id = new_id()
    emulator.start_process(message_id, "freeze-node")
    client = sdk(emulator)
    client.update_ideevent_result(ide(message_id))
    client.update_ideevent_result(ide(new_id()))
    client.update_ideevent_result(ide(message_id, extension="another"))
    assert emulator.status(message_id) == "CHECKING"
    client.update_workbench_event_result(workbench(message_id, "WARN"))
    assert emulator.status(message_id) == "PASSED"
    assert emulator.verdicts(message_id)[0]["status"] == "misplaced"


def test_strict_rejects_results_that_nothing_waits_for(emulator: Emulator) -> None:
    emulator.set_profile("strict")
    client, answered, frozen = sdk(emulator), new_id(), new_id()
    emulator.start_process(answered, "commit-file")
    emulator.start_process(frozen, "freeze-node")
    client.update_ideevent_result(ide(answered))
    wrong_message = (400, "InvalidParameter.MessageId")
    assert rejection(lambda: client.update_ideevent_result(ide(answered, "FAIL"))) == wrong_message
    assert rejection(lambda: client.update_ideevent_result(ide(new_id()))) == wrong_message
    assert rejection(lambda: client.update_ideevent_result(ide(frozen))) == wrong_message
    assert rejection(lambda: client.update_ideevent_result(ide(frozen, extension="another"))) == (
        400,
        "InvalidParameter.ExtensionCode",
    )
    assert rejection(lambda: client.update_workbench_event_result(workbench(frozen, "WARN"))) == (
        400,
        "InvalidParameter.CheckResult",
    )
    assert statuses(emulator, answered) == ["first", "refused"]
    assert emulator.status(frozen) == "CHECKING"


def test_strict_requires_a_reason_for_a_failed_callback(emulator: Emulator) -> None:
    emulator.set_profile("strict")
    message_id = new_id()
    emulator.start_process(message_id, "delete-project")
    client = sdk(emulator)
    assert rejection(lambda: client.callback_extension(callback(message_id, "FAIL"))) == (
        400,
        "MissingCheckMessage",
    )
    client.callback_extension(callback(message_id, "OK"))
    assert emulator.status(message_id) == "PASSED"


def test_a_missing_parameter_is_named(emulator: Emulator) -> None:
    request = models.CallbackExtensionRequest(check_result="OK", extension_code=emulator.extension_code)
    assert rejection(lambda: sdk(emulator).callback_extension(request)) == (400, "MissingMessageId")


@pytest.mark.parametrize(("profile", "accepted"), [("lenient", True), ("strict", False)])
def test_parameters_of_a_file_s_result_are_optional(
    emulator: Emulator, profile: str, *, accepted: bool
) -> None:
    emulator.set_profile(profile)
    message_id = new_id()
    emulator.start_process(message_id, "commit-file")
    request = models.UpdateIDEEventResultRequest(check_result="OK", message_id=message_id)
    if accepted:
        sdk(emulator).update_ideevent_result(request)
    else:
        code = (400, "InvalidParameter.ExtensionCode")
        assert rejection(lambda: sdk(emulator).update_ideevent_result(request)) == code
    assert emulator.status(message_id) == "CHECKING"


def test_waiting_for_a_verdict_ends_with_it(emulator: Emulator) -> None:
    message_id = new_id()
    emulator.start_process(message_id, "commit-file")
    with pytest.raises(TimeoutError):
        emulator.wait_verdict(message_id, timeout=0.01)
    emulator.fault("delay", message_id=message_id, seconds=0.3)
    with ThreadPoolExecutor() as threads:
        posted = threads.submit(sdk(emulator).update_ideevent_result, ide(message_id))
        assert emulator.wait_verdict(message_id, timeout=10)["result"] == "OK"
        posted.result()


# Lookups


def test_the_detail_is_the_snapshot(emulator: Emulator) -> None:
    sample = next(sample for sample in load_samples() if sample.name == "commit-file-good")
    message_id = new_id()
    emulator.start_process(message_id, sample.event_code, snapshot=sample.snapshot)
    request = models.GetIDEEventDetailRequest(message_id=message_id, project_id=PROJECT_ID)
    detail = sdk(emulator).get_ideevent_detail(request).body.event_detail
    assert detail.to_map() == sample.snapshot
    assert detail.table_model is None
    assert "PARTITION (ds = '${bizdate}')" in detail.committed_file.content


def test_the_detail_of_another_workspace_s_message_is_not_returned(emulator: Emulator) -> None:
    message_id = new_id()
    emulator.start_process(message_id, "commit-file", snapshot={"CommittedFile": {"Content": "SELECT 1"}})
    request = models.GetIDEEventDetailRequest(message_id=message_id, project_id=1)
    assert sdk(emulator).get_ideevent_detail(request).body.event_detail.committed_file is None
    emulator.set_profile("strict")
    assert rejection(lambda: sdk(emulator).get_ideevent_detail(request)) == (
        400,
        "InvalidParameter.MessageId",
    )


def test_check_processes_are_listed_by_page_and_status(emulator: Emulator) -> None:
    client, operator = sdk(emulator), new_id()
    ids = [new_id() for _ in range(5)]
    for message_id in ids:
        emulator.start_process(message_id, "backfill-data", operator=operator)
    client.update_workbench_event_result(workbench(ids[0], "FAIL"))

    def listed(**fields: Any) -> Any:
        request = models.ListCheckProcessesRequest(event_code="backfill-data", operator=operator, **fields)
        return client.list_check_processes(request).body.paging_info

    waiting = listed(status="CHECKING", page_number=2, page_size=3)
    assert waiting.total_count == 4
    assert [row.message_id for row in waiting.check_processes] == ids[4:]
    (blocked,) = listed(message_id=ids[0]).check_processes
    assert (blocked.status, blocked.project_id, blocked.operator) == ("BLOCKED", PROJECT_ID, operator)
    assert listed(project_id=1).check_processes == []
    assert rejection(lambda: listed(status="GONE")) == (400, "InvalidStatus")


def test_a_check_process_may_be_listed_late(emulator: Emulator) -> None:
    client, soon, late = sdk(emulator), new_id(), new_id()
    emulator.start_process(soon, "run-file", listed_after=0.2)
    emulator.start_process(late, "run-file", listed_after=3600)

    def is_listed(message_id: str) -> bool:
        request = models.ListCheckProcessesRequest(event_code="run-file", message_id=message_id)
        return bool(client.list_check_processes(request).body.paging_info.check_processes)

    wait_for(lambda: is_listed(soon))
    assert not is_listed(late)
    assert emulator.status(late) == "CHECKING"


def test_children_and_parents_are_one_hop(emulator: Emulator) -> None:
    client = sdk(emulator)
    request = models.GetNodeChildrenRequest(node_id=DWD_ORDER_NODE, project_env="PROD")
    children = client.get_node_children(request).body
    assert children.success is True
    assert len(children.data.nodes) == 12
    first = children.data.nodes[0]
    assert (first.node_name, first.scheduler_type, first.step_type, first.baseline_id) == (
        "dws_trade_user_1d",
        "NORMAL",
        "0",
        None,
    )
    parents = client.get_node_parents(
        models.GetNodeParentsRequest(node_id=DWD_ORDER_NODE, project_env="PROD")
    ).body.data.nodes
    assert [node.node_name for node in parents] == ["ods_trade_order_di"]


def test_a_node_has_its_fields_code_and_outputs(emulator: Emulator) -> None:
    client = sdk(emulator)
    where = {"node_id": DWD_ORDER_NODE, "project_env": "PROD"}
    node = client.get_node(models.GetNodeRequest(**where)).body.data
    assert (node.node_name, node.baseline_id, node.repeatability) == ("dwd_trade_order_di", 900101, "true")
    code = client.get_node_code(models.GetNodeCodeRequest(**where)).body.data
    assert code.startswith("INSERT OVERWRITE TABLE dwd_trade_order_di")
    inputs = client.list_node_input_or_output(
        models.ListNodeInputOrOutputRequest(io_type="input", **where)
    ).body.data
    assert [row.data for row in inputs] == ["shop.ods_trade_order_di"]
    by_output = client.list_nodes_by_output(
        models.ListNodesByOutputRequest(outputs="shop.dwd_trade_order_di,shop.none", project_env="PROD")
    ).body.data
    assert [[node.node_id for node in entry.node_list] for entry in by_output] == [[DWD_ORDER_NODE], []]


def test_nodes_are_listed_by_page(emulator: Emulator) -> None:
    request = models.ListNodesRequest(
        project_id=PROJECT_ID, project_env="PROD", node_name="dws_trade", page_number=2, page_size=10
    )
    page = sdk(emulator).list_nodes(request).body.data
    assert (page.total_count, len(page.nodes)) == (13, 3)


def test_an_unknown_node_is_a_business_error(emulator: Emulator) -> None:
    body = sdk(emulator).get_node(models.GetNodeRequest(node_id=1, project_env="PROD")).body
    assert (body.success, body.error_code) == (False, "Invalid.Node.NotExists")


def test_lineage_is_paged_by_its_key(emulator: Emulator) -> None:
    client = sdk(emulator)

    def page(key: str | None) -> Any:
        request = models.GetMetaTableLineageRequest(
            table_guid=DWD_ORDER_TABLE, direction="down", next_primary_key=key
        )
        return client.get_meta_table_lineage(request).body.data

    first = page(None)
    assert (len(first.data_entity_list), first.has_next) == (10, True)
    second = page(first.next_primary_key)
    assert (len(second.data_entity_list), second.has_next) == (2, False)
    guids = {entity.table_guid for entity in (*first.data_entity_list, *second.data_entity_list)}
    assert len(guids) == 12
    assert "odps.shop.dws_trade_user_1d" in guids


def test_a_table_s_metadata_comes_by_get(emulator: Emulator) -> None:
    client = sdk(emulator)
    full = client.get_meta_table_full_info(
        models.GetMetaTableFullInfoRequest(table_guid=DWD_ORDER_TABLE, page_num=2, page_size=5)
    ).body.data
    assert (full.total_column_count, full.life_cycle) == (8, 730)
    assert [column.column_name for column in full.column_list] == ["pay_amount", "order_time", "ds"]
    assert full.column_list[2].is_partition_column is True
    basic = client.get_meta_table_basic_info(
        models.GetMetaTableBasicInfoRequest(table_guid=DWD_ORDER_TABLE, extension=True)
    ).body.data
    assert (basic.read_count, basic.column_count, basic.partition_keys) == (40, 8, "ds")
    columns = client.get_meta_table_column(models.GetMetaTableColumnRequest(table_guid=DWD_ORDER_TABLE)).body
    assert columns.data.total_count == 8


def test_partitions_are_sorted_as_requested(emulator: Emulator) -> None:
    request = models.GetMetaTablePartitionRequest(
        table_guid=DWD_ORDER_TABLE,
        sort_criterion=models.GetMetaTablePartitionRequestSortCriterion(order="desc", sort_field="name"),
        page_size=2,
    )
    data = sdk(emulator).get_meta_table_partition(request).body.data
    assert [row.partition_name for row in data.data_entity_list] == ["ds=20250602", "ds=20250601"]


def test_the_producing_tasks_of_a_table(emulator: Emulator) -> None:
    request = models.GetMetaTableProducingTasksRequest(table_guid=DWD_ORDER_TABLE)
    (task,) = sdk(emulator).get_meta_table_producing_tasks(request).body.data
    assert (task.task_id, task.task_name) == (str(DWD_ORDER_NODE), "dwd_trade_order_di")


def test_versions_of_a_file(emulator: Emulator) -> None:
    client = sdk(emulator)
    listed = client.list_file_versions(
        models.ListFileVersionsRequest(file_id=501234301, project_id=PROJECT_ID)
    ).body.data
    assert [version.file_version for version in listed.file_versions] == [6, 5]
    version = client.get_file_version(
        models.GetFileVersionRequest(file_id=501234301, file_version=6, project_id=PROJECT_ID)
    ).body.data
    assert version.is_current_prod is True
    assert "order_id IS NOT NULL" in version.file_content


def test_versions_of_a_file_require_its_workspace(emulator: Emulator) -> None:
    client = sdk(emulator)
    request = models.ListFileVersionsRequest(file_id=501234301)
    assert rejection(lambda: client.list_file_versions(request)) == (400, "MissingProjectId")
    named = models.ListFileVersionsRequest(file_id=501234301, project_identifier="shop")
    assert client.list_file_versions(named).body.data.total_count == 2
    other = models.ListFileVersionsRequest(file_id=501234301, project_id=PROJECT_ID + 1)
    assert client.list_file_versions(other).body.error_code == "Invalid.File.NotExists"


def test_files_of_the_new_data_studio_are_in_the_other_version(emulator: Emulator) -> None:
    client = sdk(emulator)
    request = models.ListFileVersionsRequest(file_id=7234567890123456789, project_id=PROJECT_ID)
    assert client.list_file_versions(request).body.error_code == "Invalid.File.NotExists"


def test_the_extension_and_its_options(emulator: Emulator) -> None:
    client, code = sdk(emulator), emulator.extension_code
    extension = client.get_extension(models.GetExtensionRequest(extension_code=code)).body.extension
    assert len(extension.bind_event_list) == 30
    assert (extension.status, extension.project_testing) == (1, PROJECT_ID)
    fields = {name for name, value in extension.to_map().items() if value is not None}
    assert fields == {*EXTENSION_FIELDS, "ExtensionCode"}
    enabled = models.ListEnabledExtensionsForProjectRequest(event_code="commit-file", project_id=PROJECT_ID)
    (row,) = client.list_enabled_extensions_for_project(enabled).body.extensions
    assert row.extension_code == code
    elsewhere = models.ListEnabledExtensionsForProjectRequest(event_code="commit-file", project_id=1)
    assert client.list_enabled_extensions_for_project(elsewhere).body.extensions == []
    option = models.GetOptionValueForProjectRequest(extension_code=code, project_id=str(PROJECT_ID))
    assert client.get_option_value_for_project(option).body.option_value is None


def test_all_baseline_operations_agree(emulator: Emulator) -> None:
    client, one = sdk(emulator), {"baseline_id": BASELINE}
    baseline = client.get_baseline(models.GetBaselineRequest(project_id=PROJECT_ID, **one)).body.data
    assert (baseline.baseline_name, baseline.priority) == ("Trade data before the working day", 8)
    assert DWD_ORDER_NODE in baseline.node_ids
    config = client.get_baseline_config(models.GetBaselineConfigRequest(**one)).body.data
    assert (config.baseline_name, config.use_flag) == (baseline.baseline_name, True)
    assert (config.sla_hour, config.sla_minu) == (7, 30)
    nodes = client.get_node_on_baseline(models.GetNodeOnBaselineRequest(**one)).body
    assert nodes.success == "true"
    assert [node.node_id for node in nodes.data] == baseline.node_ids
    elsewhere = client.get_baseline(models.GetBaselineRequest(project_id=1, **one)).body
    assert (elsewhere.success, elsewhere.error_code) == (False, "Invalid.Baseline.NotExists")


def test_baselines_are_listed_with_pages_as_strings(emulator: Emulator) -> None:
    def listed(**fields: Any) -> Any:
        request = models.ListBaselinesRequest(project_id=PROJECT_ID, page_number=1, page_size=10, **fields)
        return sdk(emulator).list_baselines(request).body.data

    page = listed(priority="7,8", enable=True, search_text="Trade")
    assert [baseline.baseline_id for baseline in page.baselines] == [BASELINE]
    assert (page.page_number, page.page_size, page.total_count) == ("1", "10", "1")
    assert listed(priority="1").baselines == listed(enable=False).baselines == []


def test_column_lineage_is_paged_by_number(emulator: Emulator) -> None:
    def page(direction: str, column: str, number: int = 1) -> Any:
        request = models.GetMetaColumnLineageRequest(
            column_guid=f"{DWD_ORDER_TABLE}.{column}", direction=direction, page_num=number, page_size=5
        )
        return sdk(emulator).get_meta_column_lineage(request).body.data

    first, second = page("down", "pay_amount"), page("down", "pay_amount", 2)
    assert (first.total_count, second.page_num) == (12, 2)
    guids = [row.column_guid for row in (*first.data_entity_list, *second.data_entity_list)]
    assert len(set(guids)) == 10
    assert guids[0] == "odps.shop.dws_trade_user_1d.pay_amount"
    (source,) = page("up", "pay_amount").data_entity_list
    assert (source.database_name, source.table_name, source.column_name) == (
        *("shop", "ods_trade_order_di"),
        "pay_amount",
    )
    assert page("up", "no_such_column").data_entity_list == []


def test_entities_are_tables_and_their_readers(emulator: Emulator) -> None:
    def listed(name: str, direction: str = "down", **fields: Any) -> Any:
        request = models.ListLineageRequest(entity_qualified_name=name, direction=direction, **fields)
        return sdk(emulator).list_lineage(request).body

    rows = listed("maxcompute-table.shop.dws_trade_user_1d").data.data_entity_list
    channels = {row.entity.qualified_name: row.relation_list[0].channel for row in rows}
    assert channels["maxcompute-table.shop.ads_trade_overview_1d"] == "FIRST_PARTY"
    assert channels["crm-segment.buyers_by_orders"] == "THIRD_PARTY"
    first = listed("maxcompute-table.shop.dws_trade_user_1d", page_size=1).data
    second = listed("maxcompute-table.shop.dws_trade_user_1d", page_size=2, next_token=first.next_token).data
    assert len(second.data_entity_list) == 2
    assert second.next_token is None
    (source,) = listed("maxcompute-table.shop.dws_trade_user_1d", "up").data.data_entity_list
    assert source.entity.qualified_name == "maxcompute-table.shop.dwd_trade_order_di"
    assert listed("maxcompute-table.shop.none").data.data_entity_list == []
    assert (listed("shop.none").success, listed("shop.none").error_code) == (False, "1010040007")


def test_an_endless_list_always_has_another_page(emulator: Emulator) -> None:
    emulator.fault("endless", action="GetMetaTableLineage", times=None)
    emulator.fault("endless", action="GetMetaColumnLineage", times=None)
    client, key = sdk(emulator), None
    for _ in range(5):
        request = models.GetMetaTableLineageRequest(
            table_guid=DWD_ORDER_TABLE, direction="down", next_primary_key=key
        )
        page = client.get_meta_table_lineage(request).body.data
        assert (len(page.data_entity_list), page.has_next) == (10, True)
        assert page.next_primary_key != key
        key = page.next_primary_key
    columns = models.GetMetaColumnLineageRequest(
        column_guid=f"{DWD_ORDER_TABLE}.pay_amount", direction="down", page_num=50
    )
    data = client.get_meta_column_lineage(columns).body.data
    assert len(data.data_entity_list) == 10
    assert data.total_count > 10**6


def test_a_list_that_changes_meanwhile_repeats_rows(emulator: Emulator) -> None:
    emulator.fault("changing", action="GetMetaTableLineage", times=None)
    emulator.fault("changing", action="GetMetaColumnLineage", times=None)
    client, key, guids = sdk(emulator), None, []
    while key != "":
        request = models.GetMetaTableLineageRequest(
            table_guid=DWD_ORDER_TABLE, direction="down", next_primary_key=key, page_size=5
        )
        page = client.get_meta_table_lineage(request).body.data
        guids += [row.table_guid for row in page.data_entity_list]
        key = page.next_primary_key
    assert (len(guids), len(set(guids))) == (14, 12)
    pages = [
        client.get_meta_column_lineage(
            models.GetMetaColumnLineageRequest(
                column_guid=f"{DWD_ORDER_TABLE}.pay_amount", direction="down", page_num=number, page_size=5
            )
        ).body.data.data_entity_list
        for number in (1, 2)
    ]
    assert pages[0][-1].column_guid == pages[1][0].column_guid


def test_a_world_of_realistic_size_is_generated(process: Emulator) -> None:
    assert process.add_graph(nodes=5000, loops=2, seed=3) == {"nodes": 5000, "baselines": 20, "tables": 5000}
    root = models.GetNodeChildrenRequest(node_id=graph_generator.ROOT, project_env="PROD")
    assert len(sdk(process).get_node_children(root).body.data.nodes) == 714
    for size, text in (
        ({"nodes": 0}, "nodes: expected an integer of at least 1"),
        ({"nodes": 3}, "at least as many as layers"),
        ({"depth": 3}, "unknown fields depth"),
    ):
        with pytest.raises(ValueError, match=text):
            process.add_graph(**size)


def test_the_world_grows_at_run_time(emulator: Emulator) -> None:
    emulator.add_to_world(
        nodes=[
            {"NodeId": 1001, "NodeName": "a", "ProjectId": 7},
            {"NodeId": 1002, "NodeName": "b", "ProjectId": 7, "SchedulerType": "PAUSE", "parents": [1001]},
        ]
    )
    request = models.GetNodeChildrenRequest(node_id=1001, project_env="PROD")
    (child,) = sdk(emulator).get_node_children(request).body.data.nodes
    assert (child.node_id, child.scheduler_type) == (1002, "PAUSE")
    with pytest.raises(ValueError, match="nodes 1003: invalid or missing 'ProjectId'"):
        emulator.add_to_world(nodes=[{"NodeId": 1003, "NodeName": "c"}])


# The gateway


def test_a_wrong_secret_is_rejected(emulator: Emulator) -> None:
    client = sdk(emulator, access_key_secret="wrong")
    assert rejection(lambda: client.update_ideevent_result(ide(new_id()))) == (400, "SignatureDoesNotMatch")


def test_an_unknown_key_is_rejected(emulator: Emulator) -> None:
    client = sdk(emulator, access_key_id="unknown")
    assert rejection(lambda: client.update_ideevent_result(ide(new_id()))) == (
        404,
        "InvalidAccessKeyId.NotFound",
    )


def test_an_operation_that_is_not_served_is_rejected(emulator: Emulator) -> None:
    request = models.ListBaselineConfigsRequest(project_id=PROJECT_ID, page_number=1, page_size=10)
    assert rejection(lambda: sdk(emulator).list_baseline_configs(request)) == (404, "InvalidApi.NotFound")


def test_an_unsigned_request_gets_the_gateway_s_error_body(emulator: Emulator) -> None:
    response = httpx.post(emulator.url, headers={"x-acs-version": "2020-05-18"}, trust_env=False)
    assert response.status_code == 400
    assert response.json().keys() == {"Code", "Message", "RequestId", "HostId"}


def test_writes_over_the_quota_are_throttled() -> None:
    with running(write_qps=2) as emulator:
        client, ids = sdk(emulator), [new_id() for _ in range(3)]
        client.update_ideevent_result(ide(ids[0]))
        client.update_ideevent_result(ide(ids[1]))
        assert rejection(lambda: client.update_ideevent_result(ide(ids[2]))) == (429, "Throttling.User")
        reads = models.GetNodeChildrenRequest(node_id=DWD_ORDER_NODE, project_env="PROD")
        assert client.get_node_children(reads).body.success is True
        state = emulator.state()
        assert (state["throttled"], state["calls"]["UpdateIDEEventResult"]) == (1, 3)
        assert statuses(emulator, ids[2]) == ["throttled"]


def test_the_window_of_a_second_slides() -> None:
    window = RateWindow(2)
    window.take(10.0)
    window.take(10.6)
    with pytest.raises(GatewayError):
        window.take(10.99)
    window.take(11.0)
    with pytest.raises(GatewayError):
        window.take(11.5)
    window.take(11.6)
    assert window.refused == 2


# Faults


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("throttle", {}, (429, "Throttling.Api")),
        ("error", {}, (500, "InternalError.System")),
        ("error", {"status": 503, "code": "ServiceUnavailable"}, (503, "ServiceUnavailable")),
        ("error", {"status": 403, "code": "Forbidden.Access"}, (403, "Forbidden.Access")),
    ],
)
def test_a_rejecting_fault_has_no_effect(
    emulator: Emulator, kind: str, fields: dict[str, Any], expected: tuple[int, str]
) -> None:
    message_id = new_id()
    emulator.start_process(message_id, "commit-file")
    emulator.fault(kind, action="UpdateIDEEventResult", **fields)
    client = sdk(emulator)
    assert rejection(lambda: client.update_ideevent_result(ide(message_id))) == expected
    assert emulator.status(message_id) == "CHECKING"
    client.update_ideevent_result(ide(message_id))
    assert statuses(emulator, message_id) == ["fault", "first"]


@pytest.mark.parametrize(
    ("kind", "status"), [("html", "CHECKING"), ("reset", "CHECKING"), ("lost", "PASSED")]
)
def test_a_fault_without_an_answer(emulator: Emulator, kind: str, status: str) -> None:
    message_id = new_id()
    emulator.start_process(message_id, "commit-file")
    emulator.fault(kind, message_id=message_id)
    client = sdk(emulator)
    with pytest.raises(UnretryableException):
        client.update_ideevent_result(ide(message_id))
    assert emulator.status(message_id) == status
    client.update_ideevent_result(ide(message_id))
    assert emulator.status(message_id) == "PASSED"


@pytest.mark.parametrize("kind", ["reset", "lost"])
def test_a_cut_connection_carries_no_byte(emulator: Emulator, kind: str) -> None:
    emulator.fault(kind, action="GetNode")
    request = models.GetNodeRequest(node_id=DWD_ORDER_NODE, project_env="PROD")
    with pytest.raises(UnretryableException, match=r"Connection aborted|Connection reset"):
        sdk(emulator).get_node(request)


def test_a_delay_that_outlasts_the_client_still_takes_effect(emulator: Emulator) -> None:
    message_id = new_id()
    emulator.start_process(message_id, "commit-file")
    emulator.fault("delay", message_id=message_id, seconds=0.5)
    with pytest.raises(UnretryableException):
        sdk(emulator, read_timeout=100).update_ideevent_result(ide(message_id))
    assert emulator.status(message_id) == "CHECKING"
    assert emulator.wait_verdict(message_id, timeout=10)["result"] == "OK"


def test_a_hanging_answer_has_taken_effect(emulator: Emulator) -> None:
    message_id = new_id()
    emulator.start_process(message_id, "commit-file")
    emulator.fault("hang", message_id=message_id, seconds=30)
    with pytest.raises(UnretryableException):
        sdk(emulator, read_timeout=100).update_ideevent_result(ide(message_id))
    assert emulator.status(message_id) == "PASSED"


def test_a_business_error_is_a_200(emulator: Emulator) -> None:
    emulator.fault("business", action="GetNodeChildren", code="Invalid.Tenant.ProjectNotExists")
    request = models.GetNodeChildrenRequest(node_id=DWD_ORDER_NODE, project_env="PROD")
    body = sdk(emulator).get_node_children(request).body
    assert (body.success, body.error_code) == (False, "Invalid.Tenant.ProjectNotExists")


def test_a_fault_affects_only_its_event_and_at_most_n_times(emulator: Emulator) -> None:
    affected, unaffected = new_id(), new_id()
    emulator.fault("throttle", message_id=affected, times=2)
    client = sdk(emulator)
    client.update_ideevent_result(ide(unaffected))
    for _ in range(2):
        assert rejection(lambda: client.update_ideevent_result(ide(affected))) == (429, "Throttling.Api")
    client.update_ideevent_result(ide(affected))
    emulator.fault("throttle", message_id=affected, times=None)
    for _ in range(4):
        assert rejection(lambda: client.update_ideevent_result(ide(affected)))[0] == 429
    emulator.clear_faults()
    client.update_ideevent_result(ide(affected))


# The control API


def test_invalid_control_requests_are_explained(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="kind: expected one of"):
        emulator.fault("explode")
    with pytest.raises(ValueError, match="unknown extension point"):
        emulator.start_process(new_id(), "no-such-point")
    message_id = new_id()
    emulator.start_process(message_id, "commit-file")
    with pytest.raises(ValueError, match="already started"):
        emulator.start_process(message_id, "commit-file")


def test_state_counts_processes_and_posts() -> None:
    with running() as emulator:
        ids = [new_id() for _ in range(3)]
        for message_id in ids:
            emulator.start_process(message_id, "commit-file")
        client = sdk(emulator)
        client.update_ideevent_result(ide(ids[0]))
        client.update_ideevent_result(ide(ids[1], "FAIL"))
        client.update_ideevent_result(ide(ids[1]))
        state = emulator.state()
    assert state["processes"] == {"CHECKING": 1, "PASSED": 1, "BLOCKED": 1}
    assert (state["posts"]["total"], state["posts"]["first"], state["posts"]["late"]) == (3, 2, 1)
    assert state["calls"] == {"UpdateIDEEventResult": 3}


def test_it_can_start_strict_and_with_another_world(tmp_path: Path) -> None:
    path = tmp_path / "world.yaml"
    path.write_text("nodes: [{NodeId: 5, NodeName: alone, ProjectId: 7}]")
    with running(profile="strict", world=path) as emulator:
        client = sdk(emulator)
        node = client.get_node(models.GetNodeRequest(node_id=5, project_env="PROD")).body.data
        assert node.node_name == "alone"
        assert (
            rejection(lambda: client.update_ideevent_result(ide(new_id())))[1] == "InvalidParameter.MessageId"
        )


def test_an_unreadable_world_stops_the_emulator(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match=r"WorldError: world .*none\.yaml"),
        running(world=tmp_path / "none.yaml"),
    ):
        pass
