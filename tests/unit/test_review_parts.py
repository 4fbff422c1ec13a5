"""The parts below the rules: mask, splitter, places; and the promise that no text makes the review raise."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.review.dialects import Dialect, Lexis, lexis
from workers.review.engine import review_as
from workers.review.mask import mask
from workers.review.places import Place, Places
from workers.review.rules.catalogue import BY_ID, RULES
from workers.review.split import split

HIVE = lexis(Dialect.MAXCOMPUTE)

WORDS = st.sampled_from(
    (Path(__file__).with_name("sql_words.txt")).read_text().splitlines()
) | st.sampled_from(["\n", "\x00", "𝒳", "\\", "\r"])


DOUBLING = "SELECT x.* FROM (PREVIOUS) x JOIN (PREVIOUS) y ON x.a = y.a"
for _ in range(6):
    DOUBLING = DOUBLING.replace("PREVIOUS", DOUBLING, 1).replace("PREVIOUS", "SELECT a FROM t")


@pytest.mark.parametrize(
    ("code", "masked"),
    [
        ("a=${bizdate}", "a=pppppppppp"),
        ("'$[yyyymmdd-1]'", "'ppppppppppppp'"),
        ("t_$bizdate$_x $a b", "t_ppppppppp_x pp b"),
        ("{{ ds }} @@{x}", "pppppppp ppppp"),
        ("'$.a' '^b$' $1 ${open", "'$.a' '^b$' $1 ${open"),
    ],
)
def test_masks(code: str, masked: str) -> None:
    assert mask(code).text == masked


def test_dollar_strings_are_no_parameters() -> None:
    assert mask("$tag$ $a ${b}", dollar_strings=True).text == "$tag$ pp pppp"


def test_knows_where_parameters_stood() -> None:
    masked = mask("ab${c}d${e}")
    assert [masked.has_parameter(at, at + 1) for at in range(11)] == [False] * 2 + [True] * 4 + [False] + [
        True
    ] * 4


@settings(deadline=None)
@given(st.lists(WORDS).map(" ".join))
def test_the_mask_keeps_lengths_and_lines(code: str) -> None:
    masked = mask(code).text
    assert len(masked) == len(code)
    assert [at for at, letter in enumerate(masked) if letter == "\n"] == [
        at for at, letter in enumerate(code) if letter == "\n"
    ]


@pytest.mark.parametrize(
    ("code", "words", "pieces"),
    [
        ("a;b ; \n c", HIVE, [(0, "a"), (2, "b"), (8, "c")]),
        ("'a;b';`c;d`;\"e;f\"", HIVE, [(0, "'a;b'"), (6, "`c;d`"), (12, '"e;f"')]),
        (r"'a\';b';c", HIVE, [(0, r"'a\';b'"), (8, "c")]),
        (r"'a\';b", Lexis(), [(0, r"'a\'"), (5, "b")]),
        ("a -- b;c\nd;e", HIVE, [(0, "a       \nd"), (11, "e")]),
        ("a /* b;\nc */ d", HIVE, [(0, "a      \n     d")]),
        ("a # b;\nc", lexis(Dialect.MYSQL), [(0, "a     \nc")]),
        ("$x$;$x$;b", lexis(Dialect.POSTGRES), [(0, "$x$;$x$"), (8, "b")]),
        ("@a := b", HIVE, [(6, "b")]),
        ("'open; a", HIVE, [(0, "'open; a")]),
        (";;\n", HIVE, []),
    ],
)
def test_splits(code: str, words: Lexis, pieces: list[tuple[int, str]]) -> None:
    assert [(piece.start, piece.text) for piece in split(code, words)] == pieces


def test_bare_text_has_no_insides_of_strings() -> None:
    (piece,) = split("a 'b;c' `d`", HIVE)
    assert piece.bare == "a '   ' `d`"


@pytest.mark.parametrize(
    ("code", "client"),
    [
        ("set a=b", True),
        ("ADD  JAR x", True),
        ("use p", True),
        ("settle", False),
        ("add x", False),
        ("SELECT 1", False),
    ],
)
def test_knows_client_commands(code: str, client: bool) -> None:
    assert [piece.client for piece in split(code, HIVE)] == [client]


@settings(deadline=None)
@given(st.lists(WORDS).map(" ".join), st.sampled_from(list(Dialect)))
def test_pieces_stand_where_they_say(code: str, dialect: Dialect) -> None:
    for piece in split(code, lexis(dialect)):
        there = code[piece.start : piece.start + len(piece.text)]
        assert len(piece.bare) == len(piece.text) == len(there)
        assert all(shown in (" ", letter) for shown, letter in zip(piece.text, there, strict=True))


def test_places() -> None:
    places = Places("ab\r\nc\n")
    assert [places.at(offset) for offset in (0, 3, 4, 6)] == [
        Place(1, 1),
        Place(1, 4),
        Place(2, 1),
        Place(3, 1),
    ]


@settings(deadline=None, max_examples=150)
@given(st.one_of(st.text(), st.lists(WORDS, max_size=40).map(" ".join)), st.sampled_from(list(Dialect)))
def test_never_raises_and_stays_within_the_text(code: str, dialect: Dialect) -> None:
    lines = code.split("\n")
    for finding in review_as(code, dialect):
        assert finding.line
        assert finding.column
        assert finding.line <= len(lines)
        assert finding.column <= len(lines[finding.line - 1]) + 1


@pytest.mark.parametrize(
    "code",
    [
        "SELECT " + "if(a," * 600 + "1" + ",2)" * 600,
        "SELECT a FROM " + "(SELECT a FROM " * 300 + "t" + ") x" * 300,
        " UNION ALL ".join(["SELECT a FROM t"] * 1500),
        " ".join(["SELECT a FROM t WHERE", " AND ".join(["a = 1"] * 3000)]),
        " ".join(["SELECT a FROM t WHERE a IN (", ",".join(["1"] * 5000), ")"]),
        DOUBLING,
        "'" * 9999,
        "password=" * 20000,
        "://" * 3000,
    ],
    ids=[
        "deep calls",
        "deep subqueries",
        "long union",
        "long where",
        "long in",
        "doubling",
        "quotes",
        "names",
        "urls",
    ],
)
@pytest.mark.timeout(20)
def test_survives_the_extreme(code: str) -> None:
    assert {finding.rule for finding in review_as(code, Dialect.MAXCOMPUTE)} <= {"MC-C19"}


def test_never_logs_code(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        review_as("CREATE SOMETHING secret_table; GRANT x ON y TO z; CALL f(1)", Dialect.HIVE)
    assert "secret_table" not in caplog.text


def test_rules_are_told() -> None:
    assert len(BY_ID) == len(RULES)
    assert all(rule.id and rule.title and rule.why and rule.help for rule in RULES)
