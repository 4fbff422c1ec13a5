"""The door of the engine: places, policy, tables, time, fingerprints, and text in whatever bytes."""

from __future__ import annotations

import codecs
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import pytest
from pydantic import ValidationError

from common.processes.time_limits import TimeLimitReached
from common.text.i18n import Language
from common.verdicts import Finding, Severity
from review import engine, languages, script_reader
from review.context import NodeContext, ReviewContext, TableMetadata
from review.dialects import Dialect
from review.engine import review, run_review
from review.facts import Span
from review.fingerprints import only_new_findings
from review.languages import ExternalDiagnostic
from review.languages.external import shellcheck
from review.languages.external.external_tool import ToolFailed, ToolUnfinished
from review.options import ReviewOptions
from review.rules.api import Hit, Options, RuleContext, Text
from review.rules.registry import BY_ID
from review.source.source_files import decode_source, dialect_of

SQL = Dialect.MAXCOMPUTE
CODE = "SELECT a.id\nFROM a, b\nORDER BY a.id;\n\nDELETE FROM c;\n"


def rules(found: Iterable[Finding]) -> list[str]:
    return [item.rule for item in found]


def policy(**values: object) -> ReviewOptions:
    return ReviewOptions.model_validate(values)


def test_findings_come_in_the_order_of_the_text_with_their_ranges() -> None:
    lines = CODE.split("\n")
    told = [
        (item.rule, item.line, lines[item.line - 1][item.column - 1 : item.end_column - 1])
        for item in review(CODE, SQL)
        if item.line and item.column and item.end_column
    ]
    assert ("MC-C03", 2, "b") in told
    assert ("MC-P06", 3, "ORDER BY a.id") in told
    assert ("MC-C14", 5, "DELETE FROM c") in told or ("MC-C14", 5, "c") in told
    assert [line for _, line, _ in told] == sorted(line for _, line, _ in told)


def test_both_languages_say_the_same() -> None:
    english, chinese = review(CODE, SQL), review(CODE, SQL, language=Language.CHINESE)
    assert rules(english) == rules(chinese)
    assert [item.code_digest for item in english] == [item.code_digest for item in chinese]
    assert all(item.message.isascii() for item in english)
    assert not any(item.message.isascii() for item in chinese)


@pytest.mark.parametrize("dialect", [SQL, Dialect.HOLOGRES, Dialect.PYTHON, Dialect.SHELL])
def test_a_byte_order_mark_is_no_code(dialect: Dialect) -> None:
    code = {Dialect.PYTHON: "a = 1\n", Dialect.SHELL: "set -e\n"}.get(dialect, "-- x\r\nDELETE FROM t\r\n;")
    with_mark, without = run_review("\ufeff" + code, dialect), run_review(code, dialect)
    assert with_mark == without
    assert not without.gaps


@pytest.mark.parametrize(
    ("code", "unread"),
    [
        (
            "CREATE TEMPORARY FUNCTION f AS 'F' USING #CODE (x)\n// it's\n#END CODE;\nDELETE FROM t;",
            0,
        ),
        ("DELETE FROM t;\n#CODE ('lang'='PYTHON', 'filename'='m')\n# it's\n#END CODE;", 0),
        ("DELETE FROM t;\n#CODE ('lang'='PYTHON', 'filename'='m')\n# it's", 1),
    ],
    ids=["of a function", "of the script", "without an end"],
)
def test_an_embedded_program_hides_no_statement(code: str, unread: int) -> None:
    """Source: MaxCompute's help page "Code-embedded UDFs"."""
    found = run_review(code, SQL)
    assert "MC-C14" in rules(found.findings)
    assert len(found.gaps) == unread


def test_the_policy_weighs_and_switches_off() -> None:
    told = {item.rule: item.severity for item in review(CODE, SQL)}
    assert told["MC-C03"] is Severity.BLOCK
    weighed = policy(severity={"MC-C03": "info", "MC-P06": "off"})
    told = {item.rule: item.severity for item in review(CODE, SQL, policy=weighed)}
    assert told["MC-C03"] is Severity.INFO
    assert "MC-P06" not in told


def test_the_policy_sets_options_of_rules() -> None:
    code = "SELECT concat(id, 'x') AS id FROM t WHERE ds = '${bizdate}'"
    assert "MC-C09" not in rules(review(code, SQL))
    assert "MC-C09" in rules(review(code, SQL, policy=policy(rules={"MC-C09": {"functions": ["concat"]}})))


@pytest.mark.parametrize(
    ("values", "at"),
    [
        ({"severity": {"MC-Z01": "warn"}}, ("severity", "MC-Z01", "[key]")),
        ({"severity": {"MC-C03": "loud"}}, ("severity", "MC-C03")),
        ({"rules": {"MC-Z01": {}}}, ("rules", "MC-Z01")),
        ({"rules": {"MC-C09": {"function": []}}}, ("rules", "MC-C09", "function")),
        ({"rules": {"MC-C09": {"functions": 3}}}, ("rules", "MC-C09", "functions")),
        ({"only_new": "perhaps"}, ("only_new",)),
        ({"only": True}, ("only",)),
    ],
)
def test_a_wrong_policy_is_refused_at_its_place(values: Mapping[str, object], at: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError) as refused:
        ReviewOptions.model_validate(values)
    assert [error["loc"] for error in refused.value.errors()] == [at]


def test_ids_of_outside_tools_may_be_weighed() -> None:
    assert policy(severity={"PY-F821": "off", "SH-SC2086": "info", "PG-ban-drop-table": "warn"}).is_disabled(
        "PY-F821"
    )


def test_a_policy_survives_plain_json() -> None:
    given = policy(severity={"MC-C03": "info"}, rules={"MC-C09": {"functions": ["x"]}})
    plain = given.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert plain == {"severity": {"MC-C03": "info"}, "rules": {"MC-C09": {"functions": ["x"]}}}
    assert ReviewOptions.model_validate(plain) == given


def test_tables_are_asked_for_once_and_what_is_given_comes_first() -> None:
    asked: list[frozenset[str]] = []

    def tables(names: frozenset[str]) -> Mapping[str, TableMetadata]:
        asked.append(names)
        return {
            "P.Orders": TableMetadata(partitions={"ds": "STRING"}),
            "dim": TableMetadata(partitions={"ds": "STRING"}),
        }

    code = (
        "SELECT o.id FROM p.orders o JOIN dim d ON o.id = d.id;\nINSERT OVERWRITE TABLE t SELECT id FROM dim"
    )
    given = ReviewContext(tables={"dim": TableMetadata()})
    found = [item for item in review(code, SQL, given, tables=tables) if item.rule == "MC-P01"]
    assert asked == [frozenset({"p.orders", "dim", "t"})]
    assert [("p.orders" in item.message, item.severity) for item in found] == [(True, Severity.BLOCK)]


def test_what_the_supplier_raises_comes_through() -> None:
    def tables(names: frozenset[str]) -> Mapping[str, TableMetadata]:
        raise ConnectionError(str(names))

    with pytest.raises(ConnectionError):
        review(CODE, SQL, tables=tables)
    assert review("", SQL, tables=tables) == ()


def test_what_is_given_of_the_node_counts() -> None:
    code = "INSERT INTO t PARTITION (ds = '${bizdate}') SELECT id FROM s WHERE ds = '${bizdate}'"
    production = ReviewContext(node=NodeContext(production=True))
    severities = [
        {item.rule: item.severity for item in review(code, SQL, given)}["MC-C01"]
        for given in (ReviewContext(), production)
    ]
    assert severities == [Severity.WARN, Severity.BLOCK]
    assert "MC-C01" not in rules(review(code, SQL, ReviewContext(node=NodeContext(scheduled=False))))


def test_what_was_not_looked_at_in_time_is_said() -> None:
    told = [item for item in review(CODE, SQL, seconds=0) if item.rule == "MC-C19"]
    assert any("Not all rules ran" in item.message for item in told)
    assert all("the review timed out" in item.message for item in told)
    assert review(CODE, SQL, policy=policy(severity={"MC-C19": "off"}), seconds=0) == ()


def break_rule(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def judge(_: RuleContext, __: Options) -> list[Hit]:
        raise error

    broken = replace(BY_ID["MC-C03"], check=judge)
    first = tuple(broken if rule.id == "MC-C03" else rule for rule in engine._FIRST)
    monkeypatch.setattr(engine, "_FIRST", first)


def test_time_limits_are_not_taken_for_a_failed_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    break_rule(monkeypatch, TimeLimitReached())
    with pytest.raises(TimeLimitReached):
        review(CODE, SQL)


def test_a_script_that_needs_too_much_memory_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    break_rule(monkeypatch, MemoryError())
    reviewed = run_review(CODE, SQL)
    assert [item.rule for item in reviewed.findings] == ["MC-C19"]
    assert reviewed.describe_gaps(Language.ENGLISH) == "The script was not reviewed: it needs too much memory"


def test_what_breaks_the_engine_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "decide_suppressions", None)
    reviewed = run_review(CODE, SQL, language=Language.CHINESE)
    assert reviewed.describe_gaps(Language.CHINESE) == "脚本未被评审：评审出错（TypeError）"
    assert [item.english for item in reviewed.findings] == [
        "The script was not reviewed: the review failed (TypeError)."
    ]


@pytest.mark.parametrize(
    ("error", "why"), [(RecursionError, "nested too deeply"), (IndexError, "IndexError")]
)
@pytest.mark.parametrize("dialect", [SQL, Dialect.PYTHON, Dialect.SHELL, Dialect.DI])
def test_what_breaks_a_reader_is_a_gap_and_rules_on_the_text_run(
    monkeypatch: pytest.MonkeyPatch, dialect: Dialect, error: type[Exception], why: str
) -> None:
    def read(*_: object) -> None:
        raise error

    monkeypatch.setattr(script_reader, "_read", read)
    reviewed = run_review("x = 'LTAI5tFb7Xk2Lm9Qw3Er5Ty8'", dialect)
    assert why in str(reviewed.describe_gaps(Language.ENGLISH))
    assert {"MC-C19", "MC-S01"} & {item.rule for item in reviewed.findings} >= {"MC-C19"}


UNREADABLE = "SELEC id FROM t;\nSELECT 1 FROM u WHERE (; SELECT 2"


@pytest.mark.parametrize(
    ("code", "options"),
    [
        (UNREADABLE, {}),
        (UNREADABLE, {"severity": {"MC-C19": "off"}}),
        (UNREADABLE, {"severity": {"MC-C19": "info"}}),
        (f"-- dwgate:ignore-file MC-C19 it is right\n{UNREADABLE}", {}),
    ],
)
def test_gaps_do_not_depend_on_the_rule_that_reports_them(code: str, options: dict[str, Any]) -> None:
    gaps = run_review(code, SQL, policy=policy(**options)).describe_gaps(Language.ENGLISH)
    assert gaps is not None
    assert gaps.endswith("its syntax is not understood, and 1 more")


def test_code_that_is_reviewed_has_no_gaps() -> None:
    assert run_review(CODE, SQL).describe_gaps(Language.ENGLISH) is None
    assert run_review("", SQL).gaps == ()


def test_python_2_is_converted_so_it_is_a_note_and_no_gap() -> None:
    reviewed = run_review("print 'a'\no.execute_sql('delete from t')", Dialect.PYTHON)
    assert {"MC-C19", "MC-C14"} <= set(rules(reviewed.findings))
    assert reviewed.gaps == ()


@pytest.mark.parametrize(
    ("error", "is_gap"),
    [(ToolFailed("it is not installed"), False), (ToolUnfinished("it took longer"), True)],
)
def test_a_tool_that_the_code_stalls_is_a_gap_and_a_missing_one_is_none(
    monkeypatch: pytest.MonkeyPatch, error: ToolFailed, is_gap: bool
) -> None:
    def run(*_: object) -> None:
        raise error

    monkeypatch.setattr(shellcheck, "run", run)
    reviewed = run_review("echo 1", Dialect.SHELL)
    assert "SH-SHELLCHECK" in rules(reviewed.findings)
    assert bool(reviewed.gaps) is is_gap


def test_the_time_of_lookups_is_not_that_of_the_review(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    def tables(names: frozenset[str]) -> Mapping[str, TableMetadata]:
        assert names
        clock[0] += 3600
        return {}

    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    assert run_review(CODE, SQL, tables=tables).gaps == ()


def test_a_rule_that_fails_is_said_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    break_rule(monkeypatch, KeyError("SELECT secret"))
    found = review(CODE, SQL)
    assert [item.message for item in found if item.rule == "MC-C19"] == [
        "MC-C03 failed on this script (KeyError)."
    ]
    assert "MC-C14" in rules(found)


def test_of_endless_findings_the_first_are_listed() -> None:
    found = review("SELECT id FROM t ORDER BY id;\n" * (engine.MAX_HITS + 5), SQL, seconds=60)
    assert rules(found).count("MC-P06") == engine.MAX_HITS
    assert [item.message for item in found if item.rule == "MC-C19"] == [
        "MC-P06 has more than 1000 findings here; the rest are not listed."
    ]


def test_outside_tools_are_weighed_and_suppressed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os  # dwgate:ignore PY-F401 needed by the next node\nimport re\n"
    text = Text("unused", "未使用")
    hits = [
        ExternalDiagnostic("PY-F401", Severity.WARN, Span(at, at + 9), text)
        for at in (0, code.index("import re"))
    ]
    monkeypatch.setattr(languages, "run_external_linter", lambda *_: iter(hits))
    told = review(code, Dialect.PYTHON, policy=policy(severity={"PY-F401": "info"}))
    ours = [item for item in told if item.rule == "PY-F401"]
    assert [(item.line, item.severity, item.suppressed) for item in ours] == [
        (1, Severity.INFO, "needed by the next node"),
        (2, Severity.INFO, None),
    ]
    assert "PY-F401" not in rules(review(code, Dialect.PYTHON, policy=policy(severity={"PY-F401": "off"})))


def test_sql_within_python_has_the_places_of_the_file() -> None:
    code = 'x = 1\no.execute_sql("""\n  SELECT id FROM t WHERE ds = 1\n  ORDER BY id""")\n'
    assert [(item.line, item.column) for item in review(code, Dialect.PYTHON) if item.rule == "MC-P06"] == [
        (4, 3)
    ]


def test_digests_move_with_the_code() -> None:
    before = review(CODE, SQL)
    after = review(f"-- a comment\n\n\n{CODE}", SQL)
    assert [item.code_digest for item in before] == [item.code_digest for item in after]
    laid_out = review(CODE.replace("ORDER BY a.id", "ORDER  BY\n a.id"), SQL)
    assert {item.code_digest for item in before} == {item.code_digest for item in laid_out}


def test_equal_findings_have_digests_of_their_own() -> None:
    sort = "SELECT id FROM t ORDER BY id;"
    once, twice = review(sort, SQL), review(f"{sort}\n{sort}", SQL)
    assert len({item.code_digest for item in twice}) == len(twice) == 2 * len(once)
    assert [item.line for item in only_new_findings(once, twice)] == [2] * len(once)


def test_only_what_the_change_added_is_new() -> None:
    old = review(CODE, SQL)
    assert only_new_findings(old, old) == ()
    assert only_new_findings(old, review(f"SET a=b;\n{CODE}", SQL)) == ()
    first = "DELETE FROM d;"
    added = only_new_findings(old, review(f"{first}\n{CODE}", SQL))
    assert {item.line for item in added} == {1}
    assert only_new_findings((), old) == old


def test_taking_a_suppression_away_makes_its_finding_new() -> None:
    allowed = policy(suppressions={"allow": ["info", "warn", "block"]})
    kept = review("DELETE FROM c; -- dwgate:ignore MC-C14 cleaned up by hand", SQL, policy=allowed)
    bare = review("DELETE FROM c;", SQL)
    assert only_new_findings(kept, kept) == ()
    assert rules(only_new_findings(kept, bare)) == ["MC-C14"]
    assert only_new_findings(bare, bare) == ()
    assert rules(only_new_findings(bare, kept)) == []


@pytest.mark.parametrize("key", [None, b"k" * 32])
def test_secrets_have_different_digests(key: bytes | None) -> None:
    assert BY_ID["MC-S01"].secret
    codes = [f"SET a.accessKeySecret = '{value}';" for value in ("k3H9dPq2Lm7Zx0Ab", "Zx0AbLm7k3H9dPq2")]
    found = [review(code, SQL, fingerprint_key=key) for code in codes]
    digests = [{item.code_digest for item in each if item.rule == "MC-S01"} for each in found]
    assert all(digests)
    assert not digests[0] & digests[1]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"SELECT 1", "SELECT 1"),
        (b"", ""),
        ("-- 订单".encode(), "-- 订单"),
        (codecs.BOM_UTF8 + "-- 订单".encode(), "-- 订单"),
        ("-- 订单".encode("gb18030"), "-- 订单"),
        ("-- 订单".encode("utf-16"), "-- 订单"),
        (codecs.BOM_UTF16_BE + "-- 订单".encode("utf-16-be"), "-- 订单"),
        ("-- 订单".encode("utf-32"), "-- 订单"),
    ],
)
def test_text_is_read_in_its_encoding(data: bytes, text: str) -> None:
    assert decode_source(data) == text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"SELECT \xff\xff", "not valid UTF-8 or GB18030 text from byte 8 on"),
        (b"SELECT\x00 1", "U+0000"),
        ("SELECT 1".encode("utf-16-le"), "UTF-16 without a byte order mark"),
        (codecs.BOM_UTF16_LE + b"S", "not valid UTF-16 text"),
        (codecs.BOM_UTF8 + b"\xd6\xd0", "not valid UTF-8 text from byte 1 on"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "so it is binary"),
    ],
)
def test_what_is_no_text_is_said_with_its_encoding(data: bytes, said: str) -> None:
    told = decode_source(data)
    assert isinstance(told, Finding)
    assert (told.rule, told.severity) == ("MC-C19", Severity.WARN)
    assert told.message.startswith("Not reviewed: ")
    assert said in told.message
    chinese = decode_source(data, Language.CHINESE)
    assert isinstance(chinese, Finding)
    assert chinese.message.startswith("未检查")


@pytest.mark.parametrize(
    ("name", "dialect"),
    [
        ("a/b.sql", Dialect.MAXCOMPUTE),
        ("B.SQL", Dialect.MAXCOMPUTE),
        ("x.hql", Dialect.HIVE),
        ("x.py", Dialect.PYTHON),
        ("x.sh", Dialect.SHELL),
        ("x.json", Dialect.DI),
        ("README.md", None),
        ("Makefile", None),
    ],
)
def test_the_name_says_the_language(name: str, dialect: Dialect | None) -> None:
    assert dialect_of(PurePath(name)) is dialect


def test_a_finding_survives_plain_json() -> None:
    for item in review("DELETE FROM c; -- dwgate:ignore MC-C14 by hand", SQL):
        assert Finding.from_json(item.to_json()) == item


def test_a_finding_at_the_name_of_a_table_is_about_that_table() -> None:
    code = "DELETE FROM shop.dwd_a;\nTRUNCATE TABLE dwd_b;\nSELECT 1 a, 1 a"
    found = review(code, SQL, ReviewContext(project="shop"))
    tables = {subject.id for item in found for subject in item.subjects}
    assert tables == {"odps.shop.dwd_a", "odps.shop.dwd_b"}
    hologres = review("TRUNCATE TABLE s.b", Dialect.HOLOGRES)
    assert {(subject.id, subject.name) for item in hologres for subject in item.subjects} <= {(None, "s.b")}


def test_a_chinese_finding_keeps_its_english_message() -> None:
    code = "DELETE FROM shop.dwd_a"
    english, chinese = (review(code, SQL, language=language) for language in Language)
    assert [item.english for item in chinese] == [item.message for item in english]
    assert not any(item.english for item in english)
