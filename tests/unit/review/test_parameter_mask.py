"""Scheduling parameters become identifiers of their own length; their names are known."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.dialects import Dialect, LexicalRules, lexical_rules
from review.source.parameter_mask import mask_parameters, parameter_name

HIVE = lexical_rules(Dialect.MAXCOMPUTE)
WORDS = st.sampled_from(Path("tests/data/sql_words.txt").read_text().splitlines()) | st.sampled_from(
    ["\n", "\x00", "𝒳", "\\", "\r", "$[", "]", "}", "${", "$$"]
)


@pytest.mark.parametrize(
    ("code", "masked"),
    [
        ("a=${bizdate}", "a=pppppppppp"),
        ("'$[yyyymmdd-1]'", "'ppppppppppppp'"),
        ("t_$bizdate$_x $a b", "t_ppppppppp_x pp b"),
        ("{{ ds }} @@{x}", "pppppppp ppppp"),
        ("'$.a' '^b$' $1 ${open", "'$.a' '^b$' $1 ${open"),
        ("t_${dag.loopDataArray[${dag.offset}]} b", "t_" + "p" * 35 + " b"),
        ("${a[${b[${c}]}]} ${a$b} ${${x}}", "p" * 16 + " pppppp ppppppp"),
        ("${a[${b} d", "${a[pppp d"),
        ("get_json_object(a, '$[0].b') '$[*]'", "get_json_object(a, '$[0].b') '$[*]'"),
    ],
)
def test_masks(code: str, masked: str) -> None:
    assert mask_parameters(code, HIVE).text == masked


@pytest.mark.parametrize(
    ("dialect", "code", "masked"),
    [
        (Dialect.POSTGRES, "$tag$ $a ${b}", "$tag$ pp pppp"),
        (Dialect.ORACLE, "SELECT * FROM v$session WHERE d = $d", "SELECT * FROM v$session WHERE d = pp"),
        (Dialect.MAXCOMPUTE, "tdl_$bizdate", "tdl_pppppppp"),
    ],
)
def test_masks_as_the_dialect_writes_names(dialect: Dialect, code: str, masked: str) -> None:
    assert mask_parameters(code, lexical_rules(dialect)).text == masked


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("${bizdate}", "bizdate"),
        ("$bizdate", "bizdate"),
        ("$bizdate$", "bizdate"),
        ("{{ ds }}", "ds"),
        ("${ds_1}", "ds_1"),
        ("${yyyymmdd}", ""),
        ("${dag.loopDataArray[${dag.offset}]}", ""),
        ("${yyyymmdd-1}", ""),
        ("${yyyy-mm-dd}", ""),
        ("${yyyymm-1/24}", ""),
        ("$[yyyymmdd-1]", ""),
        ("$[add_months(yyyymmdd,-1)]", ""),
        ("${bdp.system.bizdate}", ""),
        ("@@{x}", ""),
        ("${a b}", ""),
        ("${}", ""),
    ],
)
def test_names_what_scheduling_must_define(text: str, wanted: str) -> None:
    assert parameter_name(text) == wanted


def test_knows_where_parameters_stood() -> None:
    masked = mask_parameters("ab${c}d${e}", HIVE)
    assert [masked.has_parameter(at, at + 1) for at in range(11)] == [False] * 2 + [True] * 4 + [False] + [
        True
    ] * 4
    assert list(masked.within(0, 7)) == [(2, 6)]
    assert list(masked.within(3, 11)) == [(7, 11)]


@settings(deadline=None)
@given(
    st.lists(WORDS).map(" ".join), st.sampled_from([HIVE, LexicalRules(), lexical_rules(Dialect.POSTGRES)])
)
def test_the_mask_keeps_lengths_and_lines(code: str, words: LexicalRules) -> None:
    masked = mask_parameters(code, words).text
    assert len(masked) == len(code)
    assert [at for at, letter in enumerate(masked) if letter == "\n"] == [
        at for at, letter in enumerate(code) if letter == "\n"
    ]
