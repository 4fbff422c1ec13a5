"""`dwgate lineage`: its formats, what it says of code that it cannot read, and its exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.commands import lineage
from console.commands.lineage import LineageRequest
from console.exit_codes import UsageError
from console.output.lineage import lineage_text, mermaid
from console.output.openlineage import lineage_event
from review.context import ReviewContext
from review.dialects import Dialect
from review.facts import WriteKind
from review.lineage import TableWrite
from review.lineage.file_lineage import FileLineage, StatementLineage, script_lineage
from review.script_reader import read_script

DWGATE = Path(sys.executable).with_name("dwgate")

DAILY = """\
INSERT OVERWRITE TABLE dws_shop PARTITION (ds='${bizdate}')
SELECT o.shop_id, SUM(o.amount * r.rate) AS gmv, '1' AS flag
FROM dwd_order o JOIN dim_rate r ON o.currency = r.currency
GROUP BY o.shop_id;
"""
UNREAD = "SELEC id FROM t;\n"


def run_lineage(*paths: object, **options: Any) -> int:
    return lineage.run([str(path) for path in paths], LineageRequest(**options))


@pytest.fixture
def node(tmp_path: Path) -> Path:
    path = tmp_path / "node.sql"
    path.write_text(DAILY)
    return path


def of_code(code: str, dialect: Dialect = Dialect.MAXCOMPUTE, path: str = "a.sql") -> FileLineage:
    return script_lineage(path, read_script(code, dialect, ReviewContext(), None, float("inf")))


def test_text_has_the_tables_of_a_statement_and_then_its_columns(
    node: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node.write_text(DAILY.join(("-- daily\n", "SELECT id FROM t;\n")))
    assert run_lineage(node) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        f"{node}:2: dws_shop <- dwd_order, dim_rate",
        "  dws_shop.shop_id <- dwd_order.shop_id",
        "  dws_shop.gmv <- dim_rate.rate, dwd_order.amount",
        "  dws_shop.flag <- –",
        f"{node}:6: – <- t",
    ]
    assert printed.err == ""


def test_names_are_shown_on_one_line_of_text() -> None:
    statement = StatementLineage(1, "hive", ("a\x1b[2J\nb",), (TableWrite("t\u202e", WriteKind.INSERT),), ())
    assert list(lineage_text([FileLineage("x\n.sql", "hive", (statement,))])) == [
        "x .sql:1: t\ufffd <- a\ufffd[2J b"
    ]


def test_json(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    node.write_text(DAILY + UNREAD)
    assert run_lineage(node, format="json") == 1
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert file == {
        "path": str(node),
        "dialect": "maxcompute",
        "statements": [
            {
                "line": 1,
                "dialect": "maxcompute",
                "reads": ["dwd_order", "dim_rate"],
                "writes": [
                    {
                        "table": "dws_shop",
                        "how": "overwrite",
                        "partition": [{"column": "ds", "value": "${bizdate}"}],
                    }
                ],
                "columns": [
                    {
                        "table": "dws_shop",
                        "column": "shop_id",
                        "sources": [{"table": "dwd_order", "column": "shop_id"}],
                    },
                    {
                        "table": "dws_shop",
                        "column": "gmv",
                        "sources": [
                            {"table": "dim_rate", "column": "rate"},
                            {"table": "dwd_order", "column": "amount"},
                        ],
                    },
                    {"table": "dws_shop", "column": "flag", "sources": []},
                ],
            }
        ],
        "unread": [{"line": 5, "reason": "its syntax is not understood"}],
    }


def test_the_graph_has_the_tables_of_all_files_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.sql").write_text("INSERT INTO p.b SELECT x FROM p.a; INSERT INTO p.b SELECT y FROM p.a;")
    (tmp_path / "b.hql").write_text("INSERT INTO c SELECT x FROM P.B JOIN d ON true; SELECT 1 FROM e;")
    assert run_lineage(tmp_path, format="mermaid") == 0
    assert capsys.readouterr().out.splitlines() == [
        "flowchart LR",
        '    t0["p.a"]',
        '    t1["p.b"]',
        '    t2["d"]',
        '    t3["c"]',
        '    t4["e"]',
        "    t0 --> t1",
        "    t1 --> t3",
        "    t2 --> t3",
    ]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ('a"]; click t0 href "x', "a#34;#93;#59; click t0 href #34;x"),
        ("<b>&amp;`*", "#60;b#62;#38;amp#59;#96;#42;"),
        ("dwd_${env}_订单", "dwd_#36;#123;env#125;_订单"),
        ("a\nb", "a b"),
    ],
)
def test_names_cannot_end_a_label_of_the_graph(name: str, label: str) -> None:
    statement = StatementLineage(1, "hive", (name,), (), ())
    assert list(mermaid([FileLineage("x", "hive", (statement,))])) == ["flowchart LR", f'    t0["{label}"]']


def test_an_event_has_what_the_schema_of_openlineage_requires(
    node: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An event needs a time, producer, schema, run and job; the facet _producer, _schemaURL and fields."""
    assert run_lineage(node, format="openlineage") == 0
    event = json.loads(capsys.readouterr().out)
    assert event["eventType"] in ("START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER")
    assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
    assert uuid.UUID(event["run"]["runId"])
    assert event["job"] == {"namespace": "dwgate", "name": str(node)}
    assert re.fullmatch(
        r"https://openlineage\.io/spec/[\d-]+/OpenLineage\.json#/\$defs/RunEvent", event["schemaURL"]
    )
    assert ":" in event["producer"]
    inputs = [{"namespace": "maxcompute", "name": name} for name in ("dwd_order", "dim_rate")]
    assert event["inputs"] == inputs
    (output,) = event["outputs"]
    assert (output["namespace"], output["name"]) == ("maxcompute", "dws_shop")
    facet = output["facets"]["columnLineage"]
    assert facet["_producer"] == event["producer"]
    assert facet["_schemaURL"].endswith("/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet")
    assert facet["fields"] == {
        "shop_id": {"inputFields": [{**inputs[0], "field": "shop_id"}]},
        "gmv": {"inputFields": [{**inputs[1], "field": "rate"}, {**inputs[0], "field": "amount"}]},
        "flag": {"inputFields": []},
    }


def test_an_event_merges_statements_and_spellings_of_a_dataset() -> None:
    files = [
        of_code("INSERT INTO T (a) SELECT x FROM S; INSERT INTO t (a) SELECT y FROM s;"),
        of_code("INSERT INTO t (a) SELECT z FROM s", Dialect.HIVE),
    ]
    event = lineage_event(files, "etl", datetime.now(UTC))
    assert [(item["namespace"], item["name"]) for item in event["inputs"]] == [
        ("maxcompute", "S"),
        ("hive", "s"),
    ]
    first, second = event["outputs"]
    assert [field["field"] for field in _fields(first)["a"]] == ["x", "y"]
    assert [field["field"] for field in _fields(second)["a"]] == ["z"]


def _fields(dataset: dict[str, Any]) -> dict[str, list[dict[str, str]]]:
    fields = dataset["facets"]["columnLineage"]["fields"]
    return {name: value["inputFields"] for name, value in fields.items()}


def test_an_event_leaves_out_columns_that_are_unknown() -> None:
    event = lineage_event(
        [of_code("INSERT INTO t SELECT *, a FROM s; INSERT INTO u SELECT * FROM s")], "x", datetime.now(UTC)
    )
    assert _fields(event["outputs"][0]) == {"a": [{"namespace": "maxcompute", "name": "s", "field": "a"}]}
    assert event["outputs"][1] == {"namespace": "maxcompute", "name": "u", "facets": {}}


def test_metadata_expands_stars(node: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    node.write_text("INSERT INTO t SELECT * FROM s")
    metadata = tmp_path / "tables.json"
    metadata.write_text('{"tables": {"s": {"columns": {"id": "BIGINT", "name": "STRING"}}}}')
    assert run_lineage(node, metadata=metadata) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["  t.id <- s.id", "  t.name <- s.name"]


def test_code_in_other_languages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text("day = '1'\no.execute_sql('INSERT INTO t SELECT x FROM s')\n")
    (tmp_path / "b.sh").write_text('hive -e "INSERT INTO u SELECT y FROM t"\n')
    assert run_lineage(tmp_path, format="json") == 0
    python, shell = json.loads(capsys.readouterr().out)["files"]
    assert [item["dialect"] for item in (*python["statements"], *shell["statements"])] == [
        "maxcompute",
        "hive",
    ]
    assert (python["dialect"], python["statements"][0]["line"]) == ("python", 2)


def test_what_is_not_read_is_said_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.sql").write_text(DAILY + UNREAD)
    (tmp_path / "b.sql").write_bytes(b"\x00\x01")
    (tmp_path / "c.sql").symlink_to("/etc/hostname")
    (tmp_path / "d.sql").write_text(DAILY)
    assert run_lineage(tmp_path) == 1
    printed = capsys.readouterr()
    assert printed.out.count("dws_shop <- ") == 2
    first, second, third = printed.err.splitlines()
    assert first == f"{tmp_path}/a.sql:5: not read: its syntax is not understood"
    assert second.startswith(f"{tmp_path}/b.sql: not read: contains the control character U+0000")
    assert third == f"{tmp_path}/c.sql: not read: a symbolic link to a place outside the folder"


def test_a_file_that_ends_its_process_is_not_read(
    node: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lineage, "read_script", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    assert run_lineage(node) == 1
    assert capsys.readouterr() == ("", f"{node}: not read: its process ended with signal SIGKILL\n")


def test_wrong_options_are_usage_errors(node: Path) -> None:
    for options in ({"format": "xml"}, {"dialect": "odps"}, {"metadata": node.with_name("none.json")}):
        with pytest.raises(UsageError):
            run_lineage(node, **options)


def test_the_command_line(node: Path) -> None:
    def dwgate(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        words = [str(DWGATE), "lineage", *arguments]
        return subprocess.run(
            words, capture_output=True, text=True, check=False, cwd=node.parent, input=stdin
        )

    found = dwgate("node.sql", "--format", "mermaid")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("flowchart LR\n")
    piped = dwgate("-", "--dialect", "hive", "--format", "json", stdin=DAILY + UNREAD)
    assert piped.returncode == 1
    assert json.loads(piped.stdout)["files"][0]["dialect"] == "hive"
    assert piped.stderr == "-:5: not read: its syntax is not understood\n"
    wrong = dwgate("node.sql", "--format", "xml")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "dwgate: --format xml: expected one of text, json, mermaid, openlineage\n"
