"""The check of table changes: the difference, the lookback of readers, and the findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from common.events import Event
from common.snapshot import Column, Snapshot, TableSnapshot
from common.text.i18n import Language
from common.verdicts import Finding, Severity
from workers.checks import registry
from workers.checks.api import Context, Key, Lookups, SkipCheck
from workers.checks.lookback import lookback_days
from workers.checks.table_diff import ColumnChange, compare_tables
from workers.dataworks.errors import DataWorksError, NotFound, RequestRejected, Throttled
from workers.dataworks.models import (
    ColumnRef,
    Consumer,
    Environment,
    Node,
    ProducingTask,
    TableInfo,
    TableRef,
)

CHECKS = registry.load_checks()
GUID = "odps.shop.dwd_order"


def info(columns: str, **more: Any) -> TableInfo:
    return TableInfo(GUID, None, _columns(columns), **more)


def model(columns: str, **more: Any) -> TableSnapshot:
    values = {"name": "dwd_order", "environment": "PROD", "comment": "", "lifecycle": None, **more}
    return TableSnapshot(**values, columns=_columns(columns))


def _columns(text: str) -> tuple[Column, ...]:
    """Return the columns of `a INT, ds STRING p, id BIGINT k`: p for a partition, k for a key."""
    parts = [part.split() for part in text.split(", ") if part]
    return tuple(
        Column(name, kind, "", partition="p" in mark, key="k" in mark) for name, kind, *mark in parts
    )


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("a INT, b INT", "a INT, b INT", ()),
        ("a INT, b INT", "B int, A INT", ()),
        ("a INT", "a BIGINT, b INT", ()),
        ("a INT, b INT", "a INT", (ColumnChange("b"),)),
        ("a INT, b INT, c INT", "a INT, x INT, c INT", (ColumnChange("b", "x"),)),
        ("a INT, b INT, c INT", "a INT, x STRING, c INT", (ColumnChange("b"),)),
        ("a INT, b INT, c INT", "c INT, x INT", (ColumnChange("a"), ColumnChange("b"))),
        ("a INT, b INT", "b INT, c INT, a INT", ()),
        ("a BIGINT", "a INT", (ColumnChange("a", types=("BIGINT", "INT")),)),
        ("a INT, ds STRING p", "a INT, ds STRING", ()),
        ("a INT, a2 INT, b INT", "x INT, y INT, b INT", (ColumnChange("a", "x"), ColumnChange("a2", "y"))),
    ],
)
def test_changed_columns(before: str, after: str, changed: tuple[ColumnChange, ...]) -> None:
    assert compare_tables(info(before), model(after)).columns == changed


@pytest.mark.parametrize(
    ("before", "after", "shortened"),
    [
        (90, 30, (90, 30)),
        (30, 90, None),
        (30, 30, None),
        (None, 30, (None, 30)),
        (-1, 30, (None, 30)),
        (30, None, None),
        (30, 0, None),
    ],
)
def test_a_shorter_lifecycle(
    before: int | None, after: int | None, shortened: tuple[int | None, int] | None
) -> None:
    found = compare_tables(info("a INT", lifecycle=before), model("a INT", lifecycle=after))
    assert found.lifecycle == shortened


def test_partitions_and_keys_that_change() -> None:
    found = compare_tables(info("a INT k, ds STRING p"), model("a INT, b INT k, ds STRING p, hh STRING p"))
    assert found.partitions == ("ds STRING", "ds STRING, hh STRING")
    assert found.keys == ("a", "b")
    untold = compare_tables(info("a INT k, ds STRING p"), model("a INT, ds string p"))
    assert (untold.partitions, untold.keys, untold.keys_missing) == (None, None, True)


@pytest.mark.parametrize(
    ("where", "days"),
    [
        ("ds = '${bizdate}'", 0),
        ("ds = '$[yyyymmdd-1]'", 0),
        ("ds BETWEEN '$[yyyymmdd-31]' AND '${bizdate}'", 30),
        ("ds >= TO_CHAR(DATEADD(TO_DATE('${bizdate}', 'yyyymmdd'), -6, 'dd'), 'yyyymmdd')", 6),
        ("ds IN ('${bizdate}', '$[yyyymmdd-8]')", 7),
        ("ds >= '20200101' AND ds >= '$[yyyymmdd-3]'", 2),
        ("ds <= '${bizdate}'", None),
        ("ds >= '${start}'", None),
        ("ds >= '20240101'", None),
        ("ds = MAX_PT('shop.dwd_order')", None),
        ("ds = '${bizdate}' OR ds = '$[yyyymmdd-90]'", None),
        ("id = 1", None),
    ],
)
def test_how_far_back_code_reads(where: str, days: int | None) -> None:
    insert = "INSERT OVERWRITE TABLE dws PARTITION (ds='${bizdate}') SELECT id FROM dwd_order"
    assert lookback_days(f"{insert} WHERE {where}", "shop.dwd_order", "shop", ["ds"]) == days


@pytest.mark.parametrize(
    ("code", "days"),
    [
        ("SELECT a FROM SHOP.DWD_ORDER WHERE ds='${bizdate}'", 0),
        ("SELECT a FROM other.dwd_order WHERE ds='${bizdate}'", None),
        ("SELECT t.a FROM (SELECT * FROM dwd_order) t WHERE t.ds='${bizdate}'", 0),
        ("FROM (SELECT a FROM dwd_order WHERE ds IN ('${bizdate}', '$[yyyymmdd-99]')) t SELECT a", 98),
        (
            "SELECT 1 FROM dwd_order WHERE ds='${bizdate}'; SELECT 2 FROM dwd_order WHERE ds='$[yyyymmdd-9]'",
            8,
        ),
        ("SELECT a FROM dwd_order WHERE ds='${bizdate}'; SELECT a FROM dwd_order", None),
        ("SELECT a FROM dwd_order WHERE ds='${bizdate}'; SELECT FROM WHERE (", None),
        ("o.get_table('dwd_order')", None),
        ("", None),
    ],
)
def test_every_read_of_the_table_counts(code: str, days: int | None) -> None:
    assert lookback_days(code, "shop.dwd_order", "shop", ["ds"]) == days


@dataclass
class World:
    """Lookups of one table that record the calls."""

    table: TableInfo | None = None
    columns: Mapping[str, list[str]] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    read_by: list[str] = field(default_factory=list)
    code: str = ""
    fault: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def begin(self, query: Callable[[Lookups, Key], object], keys: Iterable[Key]) -> None:
        """Do nothing: it answers at once."""

    def table_info(self, guid: str) -> TableInfo:
        self.asked.append(guid)
        if self.table is None:
            raise NotFound("GetMetaTableFullInfo", "NotFound")
        return self.table

    def downstream_columns(self, guid: str, limit: int = 100) -> tuple[ColumnRef, ...]:
        self.asked.append(guid)
        if self.fault:
            raise self.fault
        name = guid.rpartition(".")[2]
        found = self.columns.get(name, [])[:limit]
        return tuple(
            ColumnRef(one, one.rpartition(".")[2], one.split(".")[2], one.split(".")[1]) for one in found
        )

    def downstream_tables(self, guid: str, limit: int = 100) -> tuple[TableRef, ...]:
        self.asked.append(guid)
        return tuple(TableRef(one, one.split(".")[2], one.split(".")[1]) for one in self.tables[:limit])

    def consumers(self, guid: str, limit: int = 100) -> tuple[Consumer, ...]:
        self.asked.append(guid)
        return tuple(Consumer(one) for one in self.read_by[:limit])

    def producing_tasks(self, guid: str) -> tuple[ProducingTask, ...]:
        self.asked.append(guid)
        return (ProducingTask("11", "make_it"),)

    def node(self, node_id: int, environment: Environment = Environment.PROD) -> Node:  # noqa: ARG002
        self.asked.append(str(node_id))
        return Node(node_id, "make_it", "1907", 93999, "ODPS_SQL", "NORMAL")

    def node_code(self, node_id: int, environment: Environment = Environment.PROD) -> str:  # noqa: ARG002
        self.asked.append(f"code {node_id}")
        return self.code


DATA = {"maxComputeProject": "Shop", "tableName": "DWD_Order"}


def ask(
    world: World,
    after: TableSnapshot | None,
    *,
    data: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
    language: Language = Language.ENGLISH,
) -> list[Finding]:
    check = CHECKS["table-change"]
    event = Event("m-1", "deploy-table", 93124, "1923", True, DATA if data is None else data, 0)
    asked: Any = world
    context = Context(
        event, Snapshot(table=after), check.options.model_validate(options or {}), asked, 0, language
    )
    return list(check.run(context))


def test_a_harmless_change_costs_one_lookup() -> None:
    world = World(info("a INT, ds STRING p", lifecycle=30), tables=["odps.shop.x"])
    assert ask(world, model("a BIGINT, b INT, ds STRING p", lifecycle=60)) == []
    assert world.asked == [GUID]


def test_a_dropped_column_with_readers_blocks_and_names_them() -> None:
    world = World(info("a INT, b INT, c INT"), columns={"b": ["odps.bi.ads_x.total", f"{GUID}.c"]})
    (found,) = ask(world, model("a INT, c INT"), options={"depth": 1})
    assert (found.rule, found.severity) == ("column-dropped", Severity.BLOCK)
    assert found.message.startswith("Column b of shop.dwd_order is dropped; derived from it: ")
    for named in ("bi.ads_x.total", "1907", "93999"):
        assert named in found.message
    assert "dwd_order.c" not in found.message


def test_columns_of_the_same_table_are_not_readers() -> None:
    world = World(info("a INT, b INT, c INT"), columns={"b": [f"{GUID}.c"]})
    (found,) = ask(world, model("a INT, c INT"))
    assert found.severity is Severity.WARN


def test_possible_readers_of_a_dropped_column_are_reported() -> None:
    world = World(info("a INT, b INT"), tables=["odps.shop.x"], read_by=["report.7"])
    (found,) = ask(world, model("a INT"))
    assert found.severity is Severity.WARN
    assert "no column is derived from it; readers of the table: 1 table and 1 consumer" in found.message


def test_lookups_are_bounded_and_omitted_columns_are_reported() -> None:
    wide = ", ".join(f"c{number} INT" for number in range(1000))
    world = World(info(f"a INT, {wide}"), columns={f"c{number}": ["odps.bi.x.y"] for number in range(1000)})
    found = ask(world, model("a INT"), options={"max_calls": 10, "depth": 1})
    assert len(world.asked) <= 11
    assert found[-1].rule == "columns-not-checked"
    assert "more columns of shop.dwd_order" in found[-1].message
    assert len(found) + int(found[-1].message.split("the readers of ")[1].split()[0]) == 1001


def test_a_column_missing_from_lineage_has_unknown_readers() -> None:
    world = World(info("a INT, b INT"), fault=NotFound("GetMetaColumnLineage", "NotFound"))
    (found,) = ask(world, model("a INT"))
    assert found.severity is Severity.WARN
    assert "its readers: unknown" in found.message


@pytest.mark.parametrize(
    "error",
    [
        Throttled("GetMetaColumnLineage", "Throttling.User"),
        RequestRejected("GetMetaColumnLineage", "InvalidParameter.Meta.Illegal"),
    ],
)
def test_a_lookup_error_is_raised(error: DataWorksError) -> None:
    with pytest.raises(type(error)):
        ask(World(info("a INT, b INT"), fault=error), model("a INT"))


FAR = "SELECT a FROM shop.dwd_order WHERE ds >= '$[yyyymmdd-31]' AND ds <= '${bizdate}'"


@pytest.mark.parametrize(
    ("days", "world", "severities"),
    [
        (30, World(tables=["odps.shop.x"], code=FAR), [Severity.BLOCK]),
        (31, World(tables=["odps.shop.x"], code=FAR), []),
        (7, World(tables=[], code=FAR), []),
        (7, World(tables=["odps.shop.x"], code="SELECT 1"), [Severity.WARN]),
        (7, World(tables=["odps.shop.x"], code=""), [Severity.WARN]),
        (60, World(tables=["odps.shop.x"], read_by=["report.7"], code=FAR), [Severity.WARN]),
        (60, World(tables=[f"odps.shop.x{number}" for number in range(9)], code=FAR), [Severity.WARN]),
    ],
)
def test_a_shorter_lifecycle_is_compared_with_the_lookback(
    days: int, world: World, severities: list[Severity]
) -> None:
    world.table = info("a INT, ds STRING p", lifecycle=90)
    found = ask(world, model("a INT, ds STRING p", lifecycle=days))
    assert [item.severity for item in found] == severities
    assert all(item.rule == "lifecycle-shortened" and item.help for item in found)
    assert sum(text.startswith("code ") for text in world.asked) <= 5


def test_changed_partitions_block_if_there_are_readers() -> None:
    world = World(info("a INT, ds STRING p"), tables=["odps.shop.x"])
    (found,) = ask(world, model("a INT, dt STRING p"))
    assert (found.rule, found.severity) == ("table-partitions", Severity.BLOCK)
    assert "(ds STRING) to (dt STRING)" in found.message
    (alone,) = ask(World(info("a INT, ds STRING p")), model("a INT"))
    assert (alone.rule, alone.severity) == ("table-partitions", Severity.WARN)


@pytest.mark.parametrize(
    ("world", "after", "data"),
    [
        (World(info("a INT")), model(""), None),
        (World(info("")), model("a INT"), None),
        (World(info("a INT")), TableSnapshot("t", None, "", None, columns=(Column(" ", "INT", ""),)), None),
        (World(info("a INT")), model("a INT"), {"tableName": "t"}),
        (World(info("a INT")), model("a INT", name=""), {"maxComputeProject": "p", "tableName": 7}),
    ],
)
def test_an_incomparable_change_blocks(
    world: World, after: TableSnapshot, data: dict[str, Any] | None
) -> None:
    (found,) = ask(world, after, data=data)
    assert (found.rule, found.severity) == ("event-invalid", Severity.BLOCK)


def test_a_recovered_event_is_reported_as_not_checked() -> None:
    check = CHECKS["table-change"]
    event = Event("m-1", "deploy-table", 93124, "1923", None, {}, 0, recovered=True)
    world: Any = World(info("a INT, b INT"))
    context = Context(event, Snapshot(table=model("a INT")), check.options(), world, 0)
    (found,) = check.run(context)
    assert (found.rule, found.severity) == ("event-field-missing", Severity.WARN)
    assert world.asked == []


def test_a_new_table_has_nothing_to_compare_with() -> None:
    with pytest.raises(SkipCheck, match="table does not exist yet"):
        ask(World(), model("a INT"))
    with pytest.raises(SkipCheck, match="no detail"):
        ask(World(info("a INT")), None)


def test_findings_in_chinese() -> None:
    (found,) = ask(World(info("a INT, b INT")), model("a INT, c INT"), language=Language.CHINESE)
    assert (
        found.message
        == "shop.dwd_order 的字段 b 被删除或改名为 c；没有由其生成的字段，该表的下游：没有已知的下游。"
    )
