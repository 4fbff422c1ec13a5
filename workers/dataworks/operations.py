"""The OpenAPI operations that dwgate calls.

All are of version 2020-05-18. Files of workspaces on the new Data Studio are known to version 2024-05-18 only
(help page "Use DataWorks OpenAPI"), which has `ListFileVersions` and `GetFileVersion` with the same fields.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from common.extension_points import ResultOperation

VERSION, DATA_STUDIO_VERSION = "2020-05-18", "2024-05-18"


class QuotaKind(StrEnum):
    """The account's two quotas; the operation's name decides which one a call counts against."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        action: name in the OpenAPI (`GetNodeChildren`).
        method: name of the SDK client's method, if it is of version 2020-05-18.
        objects: words, in lower case, by which error codes name what the operation reads
            (`Invalid.Meta.TableNotExist`).
        version: of the OpenAPI.
    """

    action: str
    method: str
    objects: tuple[str, ...] = ()
    version: str = VERSION

    @property
    def cache_key(self) -> str:
        """Its name in the cache of lookups; unlike `action` it is unique."""
        return self.action if self.version == VERSION else f"{self.action} {self.version}"

    @property
    def quota_kind(self) -> QuotaKind:
        """READ for Get… and List…; any other operation may change something."""
        return QuotaKind.READ if self.action.startswith(("Get", "List")) else QuotaKind.WRITE


EVENT_DETAIL = Operation("GetIDEEventDetail", "get_ideevent_detail")
CHECK_PROCESSES = Operation("ListCheckProcesses", "list_check_processes")
ENABLED_EXTENSIONS = Operation("ListEnabledExtensionsForProject", "list_enabled_extensions_for_project")
EXTENSION = Operation("GetExtension", "get_extension")
OPTION_VALUE = Operation("GetOptionValueForProject", "get_option_value_for_project")

_FILE = ("file", "node")
FILE_VERSIONS = Operation("ListFileVersions", "list_file_versions", _FILE)
FILE_VERSION = Operation("GetFileVersion", "get_file_version", _FILE)
DATA_STUDIO_FILE_VERSIONS = replace(FILE_VERSIONS, version=DATA_STUDIO_VERSION)
DATA_STUDIO_FILE_VERSION = replace(FILE_VERSION, version=DATA_STUDIO_VERSION)

_NODE = ("node", "task")
NODE = Operation("GetNode", "get_node", _NODE)
NODE_CODE = Operation("GetNodeCode", "get_node_code", _NODE)
NODE_CHILDREN = Operation("GetNodeChildren", "get_node_children", _NODE)
NODE_PARENTS = Operation("GetNodeParents", "get_node_parents", _NODE)
NODE_OUTPUTS = Operation("ListNodeInputOrOutput", "list_node_input_or_output", _NODE)
NODES_BY_OUTPUT = Operation("ListNodesByOutput", "list_nodes_by_output", ("output", *_NODE))
BASELINE = Operation("GetBaselineConfig", "get_baseline_config", ("baseline",))
"""Not GetBaseline, which also requires the baseline's workspace: a node does not reliably provide it."""

_TABLE = ("table",)
TABLE_INFO = Operation("GetMetaTableFullInfo", "get_meta_table_full_info", _TABLE)
TABLE_LINEAGE = Operation("GetMetaTableLineage", "get_meta_table_lineage", _TABLE)
TABLE_TASKS = Operation("GetMetaTableProducingTasks", "get_meta_table_producing_tasks", _TABLE)
COLUMN_LINEAGE = Operation("GetMetaColumnLineage", "get_meta_column_lineage", ("column", *_TABLE))
ENTITY_LINEAGE = Operation("ListLineage", "list_lineage", ("entity", *_TABLE))

RESULTS = {
    ResultOperation.IDE: Operation(ResultOperation.IDE.value, "update_ideevent_result"),
    ResultOperation.WORKBENCH: Operation(ResultOperation.WORKBENCH.value, "update_workbench_event_result"),
    ResultOperation.CALLBACK: Operation(ResultOperation.CALLBACK.value, "callback_extension"),
}
"""Operation that posts the verdict, by `ExtensionPoint.result_operation`."""

ALL = (
    EVENT_DETAIL,
    CHECK_PROCESSES,
    ENABLED_EXTENSIONS,
    EXTENSION,
    OPTION_VALUE,
    FILE_VERSIONS,
    FILE_VERSION,
    NODE,
    NODE_CODE,
    NODE_CHILDREN,
    NODE_PARENTS,
    NODE_OUTPUTS,
    NODES_BY_OUTPUT,
    BASELINE,
    TABLE_INFO,
    TABLE_LINEAGE,
    TABLE_TASKS,
    COLUMN_LINEAGE,
    ENTITY_LINEAGE,
    *RESULTS.values(),
)
"""Every operation, those of two versions once."""
