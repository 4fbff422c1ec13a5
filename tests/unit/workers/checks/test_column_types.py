from __future__ import annotations

import pytest

from workers.checks.column_types import is_same_type, is_widening

WIDENINGS = {
    "BOOLEAN": "Y . . . . . . . . . . . . . . . . . . . . . . . .",
    "TINYINT": ". Y Y Y Y Y Y Y Y Y Y . . . . . . . . . . . . . .",
    "SMALLINT": ". . Y Y Y Y Y Y Y Y Y . . . . . . . . . . . . . .",
    "INT": ". . . Y Y . Y Y . Y Y . . . . . . . . . . . . . .",
    "BIGINT": ". . . . Y . . Y . . Y . . . . . . . . . . . . . .",
    "FLOAT": ". . . . . Y Y . . . . . . . . . . . . . . . . . .",
    "DOUBLE": ". . . . . . Y . . . . . . . . . . . . . . . . . .",
    "DECIMAL": ". . . . . . . Y . . . . . . . . . . . . . . . . .",
    "DECIMAL(10,2)": ". . . . . . . Y Y Y . . . . . . . . . . . . . . .",
    "DECIMAL(12,2)": ". . . . . . . Y . Y . . . . . . . . . . . . . . .",
    "DECIMAL(19,0)": ". . . . . . . Y . . Y . . . . . . . . . . . . . .",
    "CHAR(10)": ". . . . . . . . . . . Y Y Y Y . . . . . . . . . .",
    "VARCHAR(10)": ". . . . . . . . . . . . Y Y Y . . . . . . . . . .",
    "VARCHAR(20)": ". . . . . . . . . . . . . Y Y . . . . . . . . . .",
    "STRING": ". . . . . . . . . . . . . . Y . . . . . . . . . .",
    "DATE": ". . . . . . . . . . . . . . . Y . . . . . . . . .",
    "DATETIME": ". . . . . . . . . . . . . . . . Y Y . . . . . . .",
    "TIMESTAMP": ". . . . . . . . . . . . . . . . . Y . . . . . . .",
    "ARRAY<INT>": ". . . . . . . . . . . . . . . . . . Y Y . . . . .",
    "ARRAY<BIGINT>": ". . . . . . . . . . . . . . . . . . . Y . . . . .",
    "MAP<STRING,INT>": ". . . . . . . . . . . . . . . . . . . . Y Y . . .",
    "MAP<STRING,BIGINT>": ". . . . . . . . . . . . . . . . . . . . . Y . . .",
    "STRUCT<a:INT>": ". . . . . . . . . . . . . . . . . . . . . . Y Y Y",
    "STRUCT<a:BIGINT>": ". . . . . . . . . . . . . . . . . . . . . . . Y .",
    "STRUCT<a:INT,b:STRING>": ". . . . . . . . . . . . . . . . . . . . . . . . Y",
}
"""By old type: the new types, in the same order, to which a change is harmless for readers (Y).

Literals by design: each row follows from the ranges and implicit conversions that MaxCompute documents.
"""


@pytest.mark.parametrize("before", WIDENINGS)
def test_which_changes_of_type_are_harmless(before: str) -> None:
    marks = WIDENINGS[before].split()
    expected = {after: mark == "Y" for after, mark in zip(WIDENINGS, marks, strict=True)}
    assert {after: is_widening(before, after) for after in WIDENINGS} == expected


@pytest.mark.parametrize(
    ("before", "after", "wider"),
    [
        ("BIGINT", "bigint", True),
        ("TINYINT", "SMALLINT", True),
        ("INT", "BIGINT", True),
        ("BIGINT", "INT", False),
        ("BIGINT", "DECIMAL", True),
        ("BIGINT", "DECIMAL(19,0)", True),
        ("BIGINT", "DECIMAL(18,0)", False),
        ("DECIMAL(10,2)", "DECIMAL(12,4)", True),
        ("DECIMAL(10,2)", "DECIMAL(12,5)", False),
        ("DECIMAL(10)", "DECIMAL(10,0)", True),
        ("DECIMAL(38,18)", "decimal", True),
        ("FLOAT", "DOUBLE", True),
        ("DOUBLE", "FLOAT", False),
        ("INT", "DOUBLE", True),
        ("BIGINT", "DOUBLE", False),
        ("INT", "FLOAT", False),
        ("VARCHAR(10)", "VARCHAR(11)", True),
        ("VARCHAR(11)", "VARCHAR(10)", False),
        ("CHAR(3)", "VARCHAR(3)", True),
        ("VARCHAR(3)", "CHAR(3)", False),
        ("VARCHAR(10)", "STRING", True),
        ("STRING", "VARCHAR(65535)", False),
        ("BIGINT", "STRING", False),
        ("DATETIME", "TIMESTAMP", True),
        ("TIMESTAMP", "DATETIME", False),
        ("ARRAY<INT>", "array< bigint >", True),
        ("ARRAY<BIGINT>", "ARRAY<INT>", False),
        ("MAP<STRING,INT>", "MAP<STRING,BIGINT>", True),
        ("MAP<INT,INT>", "MAP<BIGINT,INT>", False),
        ("STRUCT<a:INT,b:MAP<STRING,INT>>", "STRUCT<a:BIGINT,b:MAP<STRING,INT>,c:INT>", True),
        ("STRUCT<a:INT,b:INT>", "STRUCT<b:INT,a:INT>", False),
        ("STRUCT<a:INT,b:INT>", "STRUCT<a:INT>", False),
        ("INTEGER", "INT", True),
        ("INT", "INTEGER", True),
        ("INTEGER", "BIGINT", True),
        ("DECIMAL(10,2)", "DECIMAL(10,4)", False),
        ("DATE", "DATETIME", False),
        ("ARRAY<INT>", "INT", False),
        ("STRUCT<`a`:INT>", "STRUCT<a:INT>", True),
        ("SOMETHING_NEW", "something_new", True),
        ("SOMETHING_NEW", "STRING", False),
        ("", "STRING", False),
        ("DECIMAL(a,b)", "DECIMAL(38,18)", False),
        ("ARRAY<" * 5000, "ARRAY<" * 4999, False),
    ],
)
def test_type_changes_of_every_kind(before: str, after: str, wider: bool) -> None:
    assert is_widening(before, after) is wider


@pytest.mark.parametrize("kind", WIDENINGS)
def test_case_blanks_and_backquotes_make_no_other_type(kind: str) -> None:
    assert is_same_type(kind, f" {kind.lower().replace(',', ' , ').replace('<', '< ')} ")
