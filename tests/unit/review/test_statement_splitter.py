"""Scripts are cut where their dialect ends statements; nothing of the text is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.dialects import Dialect, lexical_rules
from review.source.statement_splitter import split_script

WORDS = st.sampled_from(Path("tests/data/sql_words.txt").read_text().splitlines()) | st.sampled_from(
    [
        "\n",
        "\x00",
        "\\",
        "BEGIN",
        "END;",
        "CASE",
        "IF x",
        "ELSE",
        "GO\n",
        "\n/\n",
        "DELIMITER //\n",
        "//",
        "$$",
        "R'(",
        "#CODE\n",
        "#END CODE",
    ]
)


def _texts(code: str, dialect: Dialect = Dialect.MAXCOMPUTE) -> list[str]:
    return [piece.text for piece in split_script(code, lexical_rules(dialect)).pieces]


@pytest.mark.parametrize(
    ("code", "dialect", "texts"),
    [
        ("a;b ; \n c", "maxcompute", ["a", "b", "c"]),
        ("'a;b';`c;d`;\"e;f\"", "maxcompute", ["'a;b'", "`c;d`", '"e;f"']),
        (r"'a\';b';c", "maxcompute", [r"'a\';b'", "c"]),
        (r"'a\';b", "presto", [r"'a\'", "b"]),
        ("a -- b;c\nd;e", "maxcompute", ["a       \nd", "e"]),
        ("a /* b;\nc */ d", "maxcompute", ["a      \n     d"]),
        ("a # b;\nc", "mysql", ["a     \nc"]),
        ("/*!50100 a; b */ c", "mysql", ["a", "b    c"]),
        ("2*/* ; */3", "mysql", ["2*       3"]),
        ("'/*! ; */'", "mysql", ["'/*! ; */'"]),
        ("$x$;$x$;b", "postgres", ["$x$;$x$", "b"]),
        (r"E'a\';b';c", "postgres", [r"E'a\';b'", "c"]),
        ("a /* /* ; */ ; */ b;c", "postgres", ["a" + " " * 17 + "b", "c"]),
        ("a /* /* ; */ ; b", "hive", ["a", "b"]),
        ("'open; a", "maxcompute", ["'open; a"]),
        (";;\n", "maxcompute", []),
        ('R"x(a";b)x";c', "maxcompute", ['"' + " " * 8 + '"', "c"]),
        (
            "f USING #CODE (x)\nit's;\n#END CODE;c",
            "maxcompute",
            ["f USING '" + " " * 8 + "\n     \n" + " " * 8 + "'", "c"],
        ),
        ("a\n#CODE (x)\n-- it's;\n#END CODE\nb", "maxcompute", ["a", "b"]),
        ("a;#code it's;b", "maxcompute", ["a", "#code it's;b"]),
        ("SELECT q'[a;'b]' FROM dual;c", "oracle", ["SELECT q'[a;'b]' FROM dual", "c"]),
        ("SELECT [a;b] FROM t;c", "tsql", ["SELECT [a;b] FROM t", "c"]),
    ],
)
def test_splits_outside_quotes_and_comments(code: str, dialect: str, texts: list[str]) -> None:
    assert _texts(code, Dialect(dialect)) == texts


@pytest.mark.parametrize(
    ("code", "dialect", "texts"),
    [
        (
            (
                "IF (SELECT count(*) FROM t) > 0 BEGIN INSERT INTO a SELECT CASE WHEN b THEN 1 END; END"
                " ELSE BEGIN DROP TABLE x; END SELECT 1"
            ),
            "maxcompute",
            [
                "IF (SELECT count(*) FROM t) > 0",
                "INSERT INTO a SELECT CASE WHEN b THEN 1 END",
                "DROP TABLE x",
                "SELECT 1",
            ],
        ),
        (
            "CREATE SQL FUNCTION f(@a BIGINT) AS BEGIN @r := @a + 1; END;SELECT 1",
            "maxcompute",
            ["CREATE SQL FUNCTION f(@a BIGINT) AS BEGIN @r := @a + 1; END", "SELECT 1"],
        ),
        ("SELECT begin, end FROM t;b", "hive", ["SELECT begin, end FROM t", "b"]),
        (
            "DELIMITER //\nCREATE PROCEDURE p() BEGIN IF x THEN SELECT 1; END IF; END//\nDELIMITER ;\na;b",
            "mysql",
            ["CREATE PROCEDURE p() BEGIN IF x THEN SELECT 1; END IF; END", "a", "b"],
        ),
        ("BEGIN; DELETE FROM t; COMMIT", "mysql", ["BEGIN", "DELETE FROM t", "COMMIT"]),
        (
            "DECLARE x NUMBER; BEGIN x := 1; END;\n/\nSELECT 1;",
            "oracle",
            ["DECLARE x NUMBER; BEGIN x := 1; END", "SELECT 1"],
        ),
        (
            "CREATE PACKAGE p AS PROCEDURE a; END;\n/\na",
            "oracle",
            ["CREATE PACKAGE p AS PROCEDURE a; END", "a"],
        ),
        (
            "CREATE PROC p AS SELECT 1; SELECT 2\nGO\na\ngo\n",
            "tsql",
            ["CREATE PROC p AS SELECT 1; SELECT 2", "a"],
        ),
        (
            "BEGIN TRY DELETE t; END TRY BEGIN CATCH THROW; END CATCH;a",
            "tsql",
            ["BEGIN TRY DELETE t; END TRY BEGIN CATCH THROW; END CATCH", "a"],
        ),
    ],
)
def test_keeps_blocks_whole_or_opens_them(code: str, dialect: str, texts: list[str]) -> None:
    assert _texts(code, Dialect(dialect)) == texts


def test_hints_stay_and_comments_are_given_out() -> None:
    code = "--@exclude_input=a;\nSELECT /*+ mapjoin(b) */ 1 -- é"
    cut = split_script(code, lexical_rules(Dialect.MAXCOMPUTE))
    (piece,) = cut.pieces
    assert piece.text == "SELECT /*+ mapjoin(b) */ 1"
    assert piece.stripped == "SELECT                   1"
    assert [code[begin:end] for begin, end in cut.comments] == ["--@exclude_input=a;", "-- é"]


def test_bare_text_has_no_insides_of_strings() -> None:
    (piece,) = split_script("a 'b;c' `d`", lexical_rules(Dialect.MAXCOMPUTE)).pieces
    assert piece.stripped == "a '   ' `d`"


@pytest.mark.parametrize(
    ("code", "client"),
    [
        ("set a=b", True),
        ("SET @x = 1", False),
        ("ADD  JAR x", True),
        ("use p", True),
        ("GRANT Select ON TABLE t TO USER u", True),
        ("settle", False),
        ("add x", False),
        ("SELECT 1", False),
    ],
)
def test_knows_client_commands(code: str, client: bool) -> None:
    assert [piece.client for piece in split_script(code, lexical_rules(Dialect.MAXCOMPUTE)).pieces] == [
        client
    ]


@pytest.mark.parametrize(
    ("code", "verb"),
    [
        ("@a := SELECT 1", "SELECT"),
        ("@a TABLE (b INT) := SELECT 1", "SELECT"),
        ("( select 1)", "SELECT"),
        ("1", ""),
    ],
)
def test_verbs(code: str, verb: str) -> None:
    assert split_script(code, lexical_rules(Dialect.MAXCOMPUTE)).pieces[0].verb == verb


@settings(deadline=None)
@given(st.lists(WORDS).map(" ".join), st.sampled_from([item for item in Dialect if item.sql]))
def test_pieces_stand_where_they_say_and_nothing_is_lost(code: str, dialect: Dialect) -> None:
    cut, done = split_script(code, lexical_rules(dialect)), 0
    for piece in cut.pieces:
        there = code[piece.start : piece.start + len(piece.text)]
        assert done <= piece.start
        assert len(piece.stripped) == len(piece.text) == len(there)
        assert piece.text.strip() == piece.text
        done = piece.start + len(piece.text)
    assert list(cut.comments) == sorted(cut.comments)


@pytest.mark.parametrize(
    "code", ["R'a(" * 20_000, "/*" * 50_000, "'" * 99_999, "q'[" * 20_000, "case " * 20_000, "#CODE" * 20_000]
)
@pytest.mark.timeout(20)
def test_time_grows_with_the_text_only(code: str) -> None:
    for dialect in (Dialect.MAXCOMPUTE, Dialect.POSTGRES, Dialect.ORACLE):
        assert len(split_script(code, lexical_rules(dialect)).pieces) <= 1
