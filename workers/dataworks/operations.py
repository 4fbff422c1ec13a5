"""The OpenAPI operations that dwgate calls (version 2020-05-18)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from common.extension_points import ResultOperation


class QuotaKind(StrEnum):
    """The account's two quotas; the operation's name decides which one a call counts against."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        action: name in the OpenAPI (`GetNodeChildren`).
        method: name of the SDK client's method.
    """

    action: str
    method: str

    @property
    def quota_kind(self) -> QuotaKind:
        """READ for Get… and List…; any other operation may change something."""
        return QuotaKind.READ if self.action.startswith(("Get", "List")) else QuotaKind.WRITE


EVENT_DETAIL = Operation("GetIDEEventDetail", "get_ideevent_detail")
CHECK_PROCESSES = Operation("ListCheckProcesses", "list_check_processes")
ENABLED_EXTENSIONS = Operation("ListEnabledExtensionsForProject", "list_enabled_extensions_for_project")
EXTENSION = Operation("GetExtension", "get_extension")
OPTION_VALUE = Operation("GetOptionValueForProject", "get_option_value_for_project")
FILE_VERSIONS = Operation("ListFileVersions", "list_file_versions")
FILE_VERSION = Operation("GetFileVersion", "get_file_version")
NODE = Operation("GetNode", "get_node")
NODE_CODE = Operation("GetNodeCode", "get_node_code")
NODE_CHILDREN = Operation("GetNodeChildren", "get_node_children")
NODE_PARENTS = Operation("GetNodeParents", "get_node_parents")
NODE_OUTPUTS = Operation("ListNodeInputOrOutput", "list_node_input_or_output")
NODES_BY_OUTPUT = Operation("ListNodesByOutput", "list_nodes_by_output")
BASELINE = Operation("GetBaselineConfig", "get_baseline_config")
"""Not GetBaseline, which also requires the baseline's workspace: a node does not reliably provide it."""

TABLE_INFO = Operation("GetMetaTableFullInfo", "get_meta_table_full_info")
TABLE_LINEAGE = Operation("GetMetaTableLineage", "get_meta_table_lineage")
TABLE_TASKS = Operation("GetMetaTableProducingTasks", "get_meta_table_producing_tasks")
COLUMN_LINEAGE = Operation("GetMetaColumnLineage", "get_meta_column_lineage")
ENTITY_LINEAGE = Operation("ListLineage", "list_lineage")

RESULTS = {
    ResultOperation.IDE: Operation(ResultOperation.IDE.value, "update_ideevent_result"),
    ResultOperation.WORKBENCH: Operation(ResultOperation.WORKBENCH.value, "update_workbench_event_result"),
    ResultOperation.CALLBACK: Operation(ResultOperation.CALLBACK.value, "callback_extension"),
}
"""Operation that posts the verdict, by `ExtensionPoint.result_operation`."""
