"""The scripts of FlowSpec documents."""

from __future__ import annotations

import json
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.content.flow_spec import document_scripts
from review.dialects import Dialect


def node(name: str, content: object, **runtime: object) -> dict[str, object]:
    return {"name": name, "script": {"path": f"a/{name}", "content": content, "runtime": runtime}}


def flow(**spec: object) -> str:
    return json.dumps({"version": "1.1.0", "kind": "CycleWorkflow", "spec": spec})


@pytest.mark.parametrize(
    ("runtime", "dialect"),
    [
        ({"command": "ODPS_SQL"}, Dialect.MAXCOMPUTE),
        ({"command": "PYODPS3"}, Dialect.PYTHON),
        ({"command": "DIDE_SHELL"}, Dialect.SHELL),
        ({"command": "Sql Server"}, Dialect.TSQL),
        ({"command": "x", "commandTypeId": 1093}, Dialect.HOLOGRES),
        ({"command": "FLINK_SQL_STREAM"}, Dialect.UNKNOWN),
        ({}, Dialect.UNKNOWN),
    ],
)
def test_the_runtime_names_the_language(runtime: dict[str, object], dialect: Dialect) -> None:
    (script,) = document_scripts(flow(nodes=[node("n", "SELECT 1", **runtime)]))
    assert (script.code, script.dialect, script.place) == ("SELECT 1", dialect, "n")


def test_nodes_are_found_in_workflows_and_in_the_bodies_of_loops() -> None:
    loop = {"name": "loop", "do-while": {"nodes": [node("b", "2")], "while": node("c", "3")}}
    document = flow(nodes=[node("a", "1"), loop, node("none", "")], workflows=[{"nodes": [node("d", "4")]}])
    assert [(script.place, script.code) for script in document_scripts(document)] == [
        *[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]
    ]


def test_content_that_is_json_itself_is_unwrapped() -> None:
    content = json.dumps({"properties": {"arguments": ["DELETE FROM t"]}})
    (script,) = document_scripts(flow(nodes=[node("n", content, command="EMR_HIVE")]))
    assert (script.code, script.dialect) == ("DELETE FROM t", Dialect.HIVE)
    assert script.place == "n properties.arguments[0]"


@pytest.mark.parametrize("content", ["", "{}", '{"spec": []}', '{"spec": {"nodes": []}}', "SELECT 1"])
def test_other_content_has_none(content: str) -> None:
    assert document_scripts(content) == ()


KEYS = st.sampled_from(["script", "content", "runtime", "command", "commandTypeId", "name", "nodes"])
JSON = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)
)


@given(nodes=JSON)
def test_no_content_makes_it_raise(nodes: object) -> None:
    assert isinstance(document_scripts(flow(nodes=nodes)), tuple)


@pytest.mark.parametrize(
    "content",
    [
        flow(nodes=[node("n", "SELECT 1", command="ODPS_SQL")]),
        json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "x = 1"}]}),
    ],
    ids=["flow", "notebook"],
)
def test_a_document_is_decoded_once(content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = Mock(wraps=json.loads)
    monkeypatch.setattr(json, "loads", loads)
    assert document_scripts(content)
    assert loads.call_count == 1
