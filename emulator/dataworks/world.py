"""The data of the emulated DataWorks: nodes, baselines, tables, files and the extension, from YAML or JSON.

Keys in CamelCase are fields of the OpenAPI and are returned unchanged; keys in lower case are our own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from common.errors import DwgateError
from common.json_types import Json

SAMPLE = Path(__file__).parents[1] / "samples" / "world.yaml"

CREATED_MS = 1_720_753_730_000
CHANGED_MS = 1_748_829_600_000
NODE_DEFAULTS: Mapping[str, object] = {
    "BusinessId": 1000001,
    "Connection": "odps_first",
    "CreateTime": CREATED_MS,
    "CronExpress": "00 30 00 * * ?",
    "DeployDate": CHANGED_MS,
    "DqcType": 0,
    "FileType": 10,
    "FileVersion": 6,
    "ModifyTime": CHANGED_MS,
    "ParamValues": "bizdate=$bizdate",
    "Priority": 1,
    "ProgramType": "ODPS_SQL",
    "RelatedFlowId": 1,
    "RepeatInterval": 120_000,
    "RepeatMode": 1,
    "Repeatability": True,
    "ResGroupIdentifier": "Serverless_res_group_shop",
    "ResGroupName": "Serverless resource group",
    "SchedulerType": "NORMAL",
}
TABLE_DEFAULTS: Mapping[str, object] = {
    "CreateTime": CREATED_MS,
    "DataSize": 1_073_741_824,
    "EnvType": 1,
    "FavoriteCount": 1,
    "IsView": False,
    "IsVisible": 1,
    "LastAccessTime": CHANGED_MS,
    "LastDdlTime": CREATED_MS,
    "LastModifyTime": CHANGED_MS,
    "ReadCount": 3,
    "TenantId": 283781234510656,
    "ViewCount": 5,
}
BASELINE_DEFAULTS: Mapping[str, object] = {
    "AlertEnabled": True,
    "AlertMarginThreshold": 30,
    "AlertSettings": [],
    "BaselineType": "DAILY",
    "Enabled": True,
    "OverTimeSettings": [{"Cycle": 1, "Time": "08:00"}],
    "Priority": 1,
}
SAME_CYCLE = "0"

Entry = TypeVar("Entry")


class WorldError(DwgateError, ValueError):
    """A world cannot be read; the message names the entry and what is missing or invalid."""


@dataclass(frozen=True, slots=True)
class Node:
    """A scheduled node.

    Attributes:
        fields: the response of `GetNode`.
        parents: step type by node ID of each parent: "0" same cycle, "3" cross cycle.
        outputs: rows of `ListNodeInputOrOutput`: {"Data": …, "TableName": …}.
        code: the response of `GetNodeCode`.
    """

    fields: Json
    parents: Mapping[int, str]
    outputs: tuple[Json, ...]
    code: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        fields: the response of `GetMetaTableBasicInfo`.
        columns: rows of `ColumnList`.
        upstream: GUIDs of its source tables.
        columns_upstream: GUIDs of the source columns of each column, by the column's GUID.
        consumers: its readers other than tables: {"QualifiedName": …, "Channel": …}.
        producers: IDs of the nodes that write it.
        partitions: rows of `GetMetaTablePartition`.
    """

    fields: Json
    columns: tuple[Json, ...]
    upstream: tuple[str, ...]
    columns_upstream: Mapping[str, tuple[str, ...]]
    consumers: tuple[Json, ...]
    producers: tuple[int, ...]
    partitions: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A file in development.

    Attributes:
        versions: rows of `ListFileVersions` by version.
        project_id: its workspace; None for any.
        in_new_studio: whether its workspace uses the new Data Studio.
    """

    versions: Mapping[int, Json]
    project_id: int | None
    in_new_studio: bool


@dataclass(frozen=True, slots=True)
class Extension:
    """The extension as `GetExtension` returns it, where it is enabled, and its options by workspace."""

    fields: Json
    projects: frozenset[int]
    options: Mapping[int, str]


@dataclass(slots=True)
class World:
    """All emulated data; entries added later replace those with the same ID."""

    nodes: dict[int, Node] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    baselines: dict[int, Json] = field(default_factory=dict)
    """Responses of `GetBaseline`, by ID."""
    files: dict[int, File] = field(default_factory=dict)
    extension: Extension = field(default_factory=lambda: Extension({}, frozenset(), {}))
    _children: dict[int, dict[int, str]] = field(default_factory=dict)
    _downstream: dict[str, list[str]] = field(default_factory=dict)
    """By the GUID of a table or column."""
    _nodes_by_output: dict[str, list[int]] = field(default_factory=dict)

    def merge(self, raw: Mapping[str, Any]) -> None:
        """Add the entries of `raw` under `nodes`, `baselines`, `tables`, `files` and `extension`.

        Raises:
            WorldError: an entry has a missing or invalid field; nothing is added then.
        """
        if unknown := raw.keys() - {"nodes", "baselines", "tables", "files", "extension"}:
            raise WorldError(f"world: unknown keys {', '.join(sorted(unknown))}")
        nodes = _read("nodes", raw, _node, "NodeId")
        baselines = _read("baselines", raw, _baseline, "BaselineId")
        tables = _read("tables", raw, _table, "TableGuid")
        files = _read("files", raw, _file, "FileId")
        if "extension" in raw:
            self.extension = _changed(self.extension, raw["extension"])
        self.nodes.update(nodes)
        self.baselines.update(baselines)
        self.tables.update(tables)
        self.files.update(files)
        self._index()

    def children(self, node_id: int) -> Mapping[int, str]:
        """Return the step type of each direct child of a node, by child."""
        return self._children.get(node_id, {})

    def downstream(self, guid: str) -> list[str]:
        """Return the GUIDs of the direct target tables of a table, or target columns of a column."""
        return self._downstream.get(guid, [])

    def upstream(self, guid: str) -> list[str]:
        """Return the GUIDs of the direct source tables of a table."""
        table = self.tables.get(guid)
        return list(table.upstream) if table else []

    def column_upstream(self, guid: str) -> list[str]:
        """Return the GUIDs of the direct source columns of a column."""
        table = self.tables.get(guid.rpartition(".")[0])
        return list(table.columns_upstream.get(guid, ())) if table else []

    def nodes_with_output(self, output: str) -> list[Node]:
        """Return the nodes that declare an output."""
        return [self.nodes[node_id] for node_id in self._nodes_by_output.get(output, ())]

    def _index(self) -> None:
        self._children, self._nodes_by_output, self._downstream = {}, {}, {}
        for node_id, node in self.nodes.items():
            for parent, step in node.parents.items():
                self._children.setdefault(parent, {})[node_id] = step
            for output in dict.fromkeys(row["Data"] for row in node.outputs):
                self._nodes_by_output.setdefault(output, []).append(node_id)
        for guid, table in self.tables.items():
            for target, sources in {guid: table.upstream, **table.columns_upstream}.items():
                for source in sources:
                    self._downstream.setdefault(source, []).append(target)


def load_world(path: Path = SAMPLE) -> World:
    """Read a world from a YAML or JSON file.

    Raises:
        WorldError: the file is missing, or its content is invalid.
    """
    try:
        raw = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, YAMLError) as error:
        raise WorldError(f"world {path}: {error}") from None
    if not isinstance(raw, dict):
        raise WorldError(f"world {path}: expected a mapping of nodes, baselines, tables, files or extension")
    world = World()
    world.merge(raw)
    return world


def _read(kind: str, raw: Mapping[str, Any], read: Callable[[Json], Entry], key: str) -> dict[Any, Entry]:
    entries: Iterable[Json] = raw.get(kind, [])
    result = {}
    for entry in entries:
        if key not in entry:
            raise WorldError(f"world: an entry of {kind} has no {key}")
        try:
            result[entry[key]] = read(entry)
        except (KeyError, TypeError, ValueError) as error:
            raise WorldError(f"world: {kind} {entry[key]}: invalid or missing {error}") from None
    return result


def _node(entry: Json) -> Node:
    fields = {**NODE_DEFAULTS, "ProjectId": entry["ProjectId"], "NodeName": entry["NodeName"]}
    fields.update((name, value) for name, value in entry.items() if name[0].isupper())
    return Node(fields, _parents(entry), tuple(entry.get("outputs", ())), entry.get("code", ""))


def _parents(entry: Json) -> dict[int, str]:
    same = dict.fromkeys(entry.get("parents", ()), SAME_CYCLE)
    return {
        **same,
        **{parent["NodeId"]: parent["StepType"] for parent in entry.get("cross_cycle_parents", ())},
    }


def _table(entry: Json) -> Table:
    guid: str = entry["TableGuid"]
    _, database, name = guid.split(".")
    columns = tuple(_column(guid, position, column) for position, column in enumerate(entry["columns"], 1))
    keys = [column["ColumnName"] for column in columns if column["IsPartitionColumn"]]
    fields = {
        **TABLE_DEFAULTS,
        "TableName": name,
        "DatabaseName": database,
        "IsPartitionTable": bool(keys),
        "PartitionKeys": ",".join(keys),
        **{key: value for key, value in entry.items() if key[0].isupper()},
    }
    partitions = tuple({"TableGuid": guid, **partition} for partition in entry.get("partitions", ()))
    return Table(
        fields=fields,
        columns=columns,
        upstream=tuple(entry.get("upstream", ())),
        columns_upstream={
            f"{guid}.{column['ColumnName']}": tuple(column["upstream"])
            for column in entry["columns"]
            if "upstream" in column
        },
        consumers=tuple(_consumer(consumer) for consumer in entry.get("consumers", ())),
        producers=tuple(entry.get("producers", ())),
        partitions=partitions,
    )


def _column(guid: str, position: int, column: Json) -> Json:
    defaults = {"Comment": "", "IsPartitionColumn": False, "IsPrimaryKey": False, "IsForeignKey": False}
    fields = {key: value for key, value in column.items() if key[0].isupper()}
    return {**defaults, "ColumnGuid": f"{guid}.{column['ColumnName']}", "Position": position, **fields}


def _consumer(entry: Json | str) -> Json:
    if isinstance(entry, str):
        return {"QualifiedName": entry, "Channel": "FIRST_PARTY"}
    return {"QualifiedName": entry["QualifiedName"], "Channel": entry.get("Channel", "FIRST_PARTY")}


def _baseline(entry: Json) -> Json:
    return {
        **BASELINE_DEFAULTS,
        "ProjectId": entry["ProjectId"],
        "BaselineName": entry["BaselineName"],
        **entry,
    }


def _file(entry: Json) -> File:
    versions = {version["FileVersion"]: version for version in entry["versions"]}
    return File(versions, entry.get("ProjectId"), bool(entry.get("new_studio")))


def _changed(extension: Extension, entry: Json) -> Extension:
    """Return the extension with the fields of `entry`; those that it does not name stay."""
    fields = {name: value for name, value in entry.items() if name[0].isupper()}
    options = {int(project): value for project, value in entry.get("options", {}).items()}
    return Extension(
        {**extension.fields, **fields},
        frozenset(_projects(entry)) if "projects" in entry else extension.projects,
        options if "options" in entry else extension.options,
    )


def _projects(entry: Json) -> Iterable[int]:
    """Yield the workspaces of `projects`: IDs, and ranges as {"from": ID, "to": ID}, both included."""
    for item in entry.get("projects", ()):
        yield from range(item["from"], item["to"] + 1) if isinstance(item, dict) else (item,)
