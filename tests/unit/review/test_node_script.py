"""The script in the content of a file, for node types that keep it in JSON."""

from __future__ import annotations

import json

import pytest

from review.content.node_script import file_script, node_script
from review.dialects import Dialect, dialect_for_node_type, has_script

SQL = "SELECT 1;\nDELETE FROM dw.t;"


def emr(*arguments: object, **more: object) -> str:
    body = {
        "type": "HIVE_SQL",
        "launcher": {"allocationSpec": {}},
        "properties": {"arguments": list(arguments), "tags": ["a"]},
        "programType": "EMR_HIVE",
    }
    return json.dumps({**body, **more})


@pytest.mark.parametrize(
    ("file_type", "dialect"),
    [
        (227, Dialect.HIVE),
        (228, Dialect.SHELL),
        (229, Dialect.SPARK),
        (257, Dialect.SHELL),
        (259, Dialect.PRESTO),
        (267, Dialect.TRINO),
        (268, Dialect.SPARK),
        (270, Dialect.HIVE),
        (276, Dialect.SHELL),
        (266, Dialect.UNKNOWN),
    ],
)
def test_an_emr_or_cdh_node_has_its_script_in_the_first_argument(file_type: int, dialect: Dialect) -> None:
    script = node_script(emr(SQL), file_type)
    assert (script.code, script.dialect, script.place) == (SQL, dialect, "properties.arguments[0]")
    assert "DELETE" not in script.rest
    assert '"tags": ["a"]' in script.rest


def test_of_several_arguments_each_is_code() -> None:
    script = node_script(emr(SQL, "DROP TABLE dw.t;"), 227)
    assert script.code == f"{SQL}\nDROP TABLE dw.t;"


@pytest.mark.parametrize("file_type", [1010, 3010])
@pytest.mark.parametrize("more", [{"config": {"input": []}}, {"component": {"id": 1}}])
def test_a_component_has_its_script_in_code(file_type: int, more: dict[str, object]) -> None:
    script = node_script("\ufeff \n" + json.dumps({"code": SQL, **more}), file_type)
    assert (script.code, script.dialect, script.place) == (SQL, Dialect.MAXCOMPUTE, "code")


@pytest.mark.parametrize(
    ("language", "dialect"),
    [
        ("odps", Dialect.MAXCOMPUTE),
        ("Python", Dialect.PYTHON),
        ("shell", Dialect.SHELL),
        ("perl", Dialect.UNKNOWN),
    ],
)
@pytest.mark.parametrize("file_type", [1100, 1105])
def test_an_assignment_node_names_its_language(file_type: int, language: str, dialect: Dialect) -> None:
    script = node_script(json.dumps({"language": language, "content": SQL}), file_type)
    assert (script.code, script.dialect, script.place) == (SQL, dialect, "content")


@pytest.mark.parametrize(
    "content",
    [
        SQL,
        "{",
        "{}",
        "[1]",
        '{"properties": {"arguments": []}}',
        '{"properties": {"arguments": [1]}}',
        '{"properties": {"arguments": "select 1"}}',
        '{"properties": ["arguments"]}',
        '{"properties": {"arguments": ["a"], "arguments": ["b"]}}',
        '{"properties": {"arguments": ["a"]}} select 1',
        '{"a":' * 100_000,
        '{"properties": {"arguments": [' + "9" * 10_000 + "]}}",
        "{'properties': {'arguments': ['a']}}",
    ],
)
def test_content_of_another_form_is_the_script(content: str) -> None:
    script = node_script(content, 227)
    assert (script.code, script.dialect, script.place, script.rest) == (content, Dialect.HIVE, None, "")


@pytest.mark.parametrize("file_type", [None, 6, 10, 23, 221, 4711])
def test_types_without_a_form_keep_their_content(file_type: int | None) -> None:
    for content in (emr(SQL), json.dumps({"code": SQL, "config": {}})):
        assert node_script(content, file_type).code == content
        assert node_script(content, file_type).dialect is dialect_for_node_type(file_type)


@pytest.mark.parametrize("expansion", ["$(rm -rf /data)", "`id`"])
def test_what_a_shell_would_expand_is_not_hidden_beside_the_script(expansion: str) -> None:
    content = emr("echo hello", description=expansion)
    assert node_script(content, 257).code == content
    assert node_script(emr("echo $(date)"), 257).code == "echo $(date)"
    assert node_script(content.replace("echo hello", "SELECT 1"), 227).code == "SELECT 1"


def test_a_file_of_any_type_is_read_by_its_form() -> None:
    assert file_script(emr(SQL), Dialect.HIVE).code == SQL
    assert file_script(json.dumps({"code": SQL, "config": {}}), Dialect.MAXCOMPUTE).code == SQL
    for dialect in (Dialect.DI, Dialect.PYTHON):
        assert file_script(emr(SQL), dialect).code == emr(SQL)


@pytest.mark.parametrize(
    ("file_type", "dialect"),
    [(2101, Dialect.SPARK), (2103, Dialect.SPARK), (1991, Dialect.SPARK), (2100, Dialect.SHELL)],
)
def test_types_of_the_new_data_studio_have_a_dialect(file_type: int, dialect: Dialect) -> None:
    assert dialect_for_node_type(file_type) is dialect


@pytest.mark.parametrize("file_type", [99, 225, 1001, 1101, 1122, 1250, 241, 13, 1070])
def test_some_types_have_no_script(file_type: int) -> None:
    assert not has_script(file_type)


@pytest.mark.parametrize("file_type", [None, 10, 61, 266, 1100, 1105, 1312, 1315, 1323, 2012, 4711])
def test_an_unknown_language_is_still_a_script(file_type: int | None) -> None:
    assert has_script(file_type)
