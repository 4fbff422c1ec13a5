"""What holds of the review for any text; `make fuzz` runs for a given time."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bench.accuracy import MAIN
from common.verdicts import Finding
from review.context import ReviewContext
from review.dialects import Dialect, lexical_rules
from review.engine import review
from review.extraction.reader import read_code
from review.options import ReviewOptions
from review.report import SECRETS
from review.source.parameter_mask import mask_parameters
from review.source.statement_splitter import split_script
from tests.fuzz.mutations import anything, mutated, soup, truncated
from tests.fuzz.review_oracle import CONTEXTS, DIALECTS, check, read_and_check
from tests.support.labelled_nodes import LabelledNode, labelled_nodes

Maker = Callable[[random.Random], str]

SQL_NODES = tuple(
    node for node in labelled_nodes() if node.dialect in {Dialect.MAXCOMPUTE, Dialect.HIVE, Dialect.SPARK}
)
ALL_ALLOWED = ReviewOptions.model_validate(
    {"suppressions": {"allow": ["info", "warn", "block"], "never": []}}
)
RANDOM = st.integers(0, 2**63).map(random.Random)
TEXTS = st.text() | RANDOM.map(anything)
RAW_STRING = re.compile(r"[rR]['\"]")
GROUPING = {"BEGIN", "END", "ELSE"}
"""What groups statements of script mode, and is no part of any."""
WORD = re.compile(r"\w+")
QUALIFIER = re.compile(r"(?<![\w.`'\"$])([a-z][a-z0-9]{0,2})\.(?=[\w`*])")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


@settings(deadline=None)
@given(TEXTS, st.sampled_from(DIALECTS))
def test_mask_keeps_length_and_lines(text: str, dialect: Dialect) -> None:
    masked = mask_parameters(text, lexical_rules(dialect)).text
    assert len(masked) == len(text)
    assert [at for at, char in enumerate(masked) if char == "\n"] == [
        at for at, char in enumerate(text) if char == "\n"
    ]


@settings(deadline=None)
@given(TEXTS)
def test_split_loses_nothing(text: str) -> None:
    assume(not RAW_STRING.search(text))  # their insides are of no use to a parser
    cut = split_script(text, lexical_rules(Dialect.MAXCOMPUTE))
    rest = list(text)
    for begin, end in cut.comments:
        rest[begin:end] = " " * (end - begin)
    done = 0
    for piece in cut.pieces:
        assert piece.start >= done
        assert len(piece.stripped) == len(piece.text)
        done = piece.start + len(piece.text)
        assert piece.text.split() == "".join(rest[piece.start : done]).split()
        rest[piece.start : done] = " " * len(piece.text)
    assert set("".join(rest).replace(";", " ").upper().split()) <= GROUPING


SQL_DIALECTS = [dialect for dialect in Dialect if dialect.sql]
SEPARATORS = re.compile(
    r"^[ \t]*(?:(?:go|/)[ \t]*(?:\d+[ \t]*)?|delimiter[ \t].*)$", re.IGNORECASE | re.MULTILINE
)


@settings(deadline=None)
@given(RANDOM.map(anything), st.sampled_from(SQL_DIALECTS))
def test_every_statement_is_accounted_for(text: str, dialect: Dialect) -> None:
    assume("delimiter" not in text.lower())
    script = read_code(text, dialect)
    for statement in script.statements:
        assert (statement.unread is None) != (statement.read_as is None)
    rest = list(mask_parameters(text, lexical_rules(dialect)).text)
    for begin, end in [item.at for item in script.comments] + [item.at for item in script.statements]:
        rest[begin:end] = " " * (end - begin)
    left = SEPARATORS.sub(" ", "".join(rest)).replace(";", " ")
    assert set(left.upper().split()) <= GROUPING
    if any(statement.unread is not None for statement in script.statements):
        assert "MC-C19" in {finding.rule for finding in review(text, dialect)}


CONTAINERS = [
    (Dialect.MYSQL, "CREATE PROCEDURE p() BEGIN {}; END"),
    (Dialect.MYSQL, "CREATE PROCEDURE p() {}"),
    (Dialect.MYSQL, "CREATE PROCEDURE p(d INT) BEGIN IF d > 1 THEN {}; ELSE SET d = 2; END IF; END"),
    (Dialect.MYSQL, "CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION {}; COMMIT; END"),
    (Dialect.MYSQL, "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO {}"),
    (Dialect.MYSQL, "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW {}"),
    (Dialect.MYSQL, "PREPARE s FROM '{}'"),
    (Dialect.ORACLE, "BEGIN {}; END;"),
    (Dialect.ORACLE, "BEGIN FOR r IN (SELECT id FROM t) LOOP {}; END LOOP; END;"),
    (Dialect.ORACLE, "CREATE PROCEDURE p (d DATE) AS v NUMBER; BEGIN v := 1; {}; END;"),
    (Dialect.ORACLE, "CREATE PACKAGE BODY k AS PROCEDURE p IS BEGIN {}; END p; END k;\n/"),
    (Dialect.ORACLE, "EXECUTE IMMEDIATE '{}'"),
    (Dialect.POSTGRES, "DO $$ BEGIN {}; END $$"),
    (Dialect.POSTGRES, "CREATE FUNCTION f() RETURNS void AS $$ BEGIN {}; END $$ LANGUAGE plpgsql"),
    (Dialect.POSTGRES, "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $f$ {} $f$"),
    (Dialect.POSTGRES, "DO $$ BEGIN EXECUTE '{}' || x; END $$"),
    (Dialect.POSTGRES, "PREPARE s AS {}"),
    (Dialect.POSTGRES, "EXPLAIN ANALYZE {}"),
    (Dialect.POSTGRES, "CREATE RULE r AS ON INSERT TO t DO INSTEAD {}"),
    (Dialect.HOLOGRES, "CALL run('{}')"),
    (Dialect.REDSHIFT, "CREATE PROCEDURE p() AS $$ BEGIN {}; END $$ LANGUAGE plpgsql"),
    (Dialect.TSQL, "CREATE PROCEDURE p AS BEGIN {}; END"),
    (Dialect.TSQL, "CREATE PROCEDURE p @d DATE AS\nSET NOCOUNT ON\n{}\nPRINT 'x'"),
    (Dialect.TSQL, "IF EXISTS (SELECT 1 FROM t) {}"),
    (Dialect.TSQL, "WHILE @i < 3 BEGIN {}; SET @i = @i + 1; END"),
    (Dialect.TSQL, "BEGIN TRY {} END TRY BEGIN CATCH PRINT 'x' END CATCH"),
    (Dialect.TSQL, "EXEC sp_executesql N'{}'"),
    (Dialect.TSQL, "EXEC('{}' + @x)"),
    (Dialect.MAXCOMPUTE, "IF (SELECT COUNT(*) FROM t) > 0 {}"),
    (Dialect.MAXCOMPUTE, "IF (SELECT COUNT(*) FROM t) > 0 BEGIN {}; END ELSE SELECT 1"),
    (Dialect.MAXCOMPUTE, "LOOP @i FROM 1 TO 3 {}"),
    (Dialect.SPARK, 'EXECUTE IMMEDIATE "{}"'),
    (Dialect.PRESTO, "PREPARE s FROM {}"),
    (Dialect.DORIS, "CREATE JOB j ON SCHEDULE EVERY 1 DAY DO {}"),
    (Dialect.STARROCKS, "SUBMIT TASK AS {}"),
]
INNER = [
    "DELETE FROM shop",
    "UPDATE shop SET x = 1",
    "INSERT INTO shop SELECT id FROM t",
    "DROP TABLE shop",
    "TRUNCATE TABLE shop",
    "MERGE INTO shop USING t ON shop.id = t.id WHEN MATCHED THEN UPDATE SET x = 1",
]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(CONTAINERS), st.sampled_from(INNER))
def test_a_statement_within_another_is_read_or_reported(container: tuple[Dialect, str], inner: str) -> None:
    dialect, around = container
    statements = read_code(around.format(inner), dialect).statements
    changed = {write.table for item in statements for write in item.writes}
    changed |= {removal.name for item in statements for removal in item.removals}
    assert "shop" in changed or any(item.unread for item in statements)


@pytest.mark.parametrize("make", [mutated, truncated, soup])
@settings(deadline=None)
@given(rng=RANDOM, dialect=st.sampled_from(DIALECTS), known=st.sampled_from(CONTEXTS))
def test_nothing_raises_or_points_outside(
    make: Maker, rng: random.Random, dialect: Dialect, known: ReviewContext
) -> None:
    check(make(rng), dialect, known)


@settings(deadline=None)
@given(st.text(), st.sampled_from(DIALECTS))
@example("\ud800", Dialect.MAXCOMPUTE)
@example("\x00", Dialect.HIVE)
@example("", Dialect.UNKNOWN)
def test_any_text_is_answered(text: str, dialect: Dialect) -> None:
    check(text, dialect, CONTEXTS[0])


@settings(deadline=None)
@given(RANDOM, st.sampled_from([Dialect.MAXCOMPUTE, Dialect.MYSQL, Dialect.SPARK]))
def test_findings_lie_within_the_text(rng: random.Random, dialect: Dialect) -> None:
    code = anything(rng)
    for finding in review(code, dialect):
        line, column = finding.line or 1, finding.column or 1
        end_line, end_column = finding.end_line or line, finding.end_column or column
        assert (1, 1) <= (line, column) <= (end_line, end_column)
        assert end_line <= code.count("\n") + code.count("\r") + 1
        assert end_column <= len(code) + 1


@settings(deadline=None)
@given(RANDOM)
def test_review_is_deterministic(rng: random.Random) -> None:
    code = anything(rng)
    assert review(code, Dialect.MAXCOMPUTE) == review(code, Dialect.MAXCOMPUTE)


@settings(deadline=None)
@given(st.sampled_from(SQL_NODES), st.data())
def test_a_suppression_changes_nothing_else(node: LabelledNode, data: st.DataObject) -> None:
    before = [item for item in main_findings(node.code, node) if item.rule not in SECRETS]
    assume(before)
    chosen = data.draw(st.sampled_from(before))
    lines = node.code.split("\n")
    line = (chosen.line or 1) - 1
    assume(ends_plainly(lines, line))
    lines[line] += f" -- dwgate:ignore {chosen.rule} checked by hand"
    after = [item for item in main_findings("\n".join(lines), node) if item.rule not in SECRETS]
    assert [key(item) for item in after] == [key(item) for item in before]
    for item in after:
        hushed = (item.rule, item.line) == (chosen.rule, chosen.line)
        assert (item.suppressed is not None) == hushed


@settings(deadline=None)
@given(st.sampled_from(SQL_NODES))
def test_names_of_aliases_do_not_matter(node: LabelledNode) -> None:
    aliases = own_aliases(node)
    assume(aliases)
    renamed = WORD.sub(lambda word: f"al_{word[0]}" if word[0].lower() in aliases else word[0], node.code)
    assert rules_hit(renamed, node) == rules_hit(node.code, node)


@settings(deadline=None)
@given(
    st.sampled_from(SQL_NODES),
    st.sampled_from(["\n", "\n\n\n", "-- note\n", "/* a\n   note; */\n"]),
    st.data(),
)
def test_comments_and_blank_lines_only_shift(node: LabelledNode, extra: str, data: st.DataObject) -> None:
    pieces = split_script(
        mask_parameters(node.code, lexical_rules(node.dialect)).text, lexical_rules(node.dialect)
    ).pieces
    starts = [piece.start for piece in pieces if node.code[piece.start - 1 : piece.start] in {"", "\n"}]
    assume(starts)
    at = data.draw(st.sampled_from(starts))
    first = node.code.count("\n", 0, at) + 1
    expected = [
        key(item, extra.count("\n") if (item.line or 1) >= first else 0)
        for item in main_findings(node.code, node)
    ]
    changed = main_findings(node.code[:at] + extra + node.code[at:], node)
    assert [key(item) for item in changed] == expected


def main_findings(code: str, node: LabelledNode) -> list[Finding]:
    return [item for item in review(code, node.dialect, node.context, ALL_ALLOWED) if item.rule in MAIN]


def key(item: Finding, lines: int = 0) -> tuple[object, ...]:
    return (item.rule, item.severity, (item.line or 1) + lines, item.column, item.message)


def rules_hit(code: str, node: LabelledNode) -> list[str]:
    _, hits = read_and_check(code, node.dialect, node.context)
    return sorted(rule for rule, _ in hits if rule in MAIN)


def ends_plainly(lines: list[str], index: int) -> bool:
    """Whether the line has no comment, and neither a string nor a comment goes on behind it."""
    before = QUOTED.sub("", "\n".join(lines[: index + 1]))
    return not re.search(r"['\"]|/\*|\\", before) and "--" not in lines[index]


def own_aliases(node: LabelledNode) -> set[str]:
    """Return the short aliases of a node that mean nothing else in it."""
    quoted = {word.lower() for part in QUOTED.findall(node.code) for word in WORD.findall(part)}
    columns = {name for table in node.context.tables.values() for name in (*table.columns, *table.partitions)}
    return set(QUALIFIER.findall(QUOTED.sub(" ", node.code))) - quoted - columns
