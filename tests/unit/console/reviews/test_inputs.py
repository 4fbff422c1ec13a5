"""The scripts in FlowSpec documents and notebooks are inputs of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.reviews.inputs import read_sources
from review.dialects import Dialect

NODE = {"name": "a", "script": {"content": "SELECT 1", "runtime": {"command": "ODPS_SQL"}}}
FLOW = {"version": "1.1.0", "kind": "CycleWorkflow", "spec": {"nodes": [NODE]}}
CELL = {"cell_type": "code", "metadata": {"language": "odps"}, "source": "SELECT 2"}
NOTEBOOK = {"cells": [CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flow.json").write_text(json.dumps(FLOW))
    (tmp_path / "book.ipynb").write_text(json.dumps(NOTEBOOK))
    (tmp_path / "other.json").write_text('{"a": 1}')
    return tmp_path


def test_each_script_of_a_folder_is_a_source(folder: Path) -> None:
    found = [(source.path, source.dialect, source.data) for source in read_sources([str(folder)], None, None)]
    assert found == [
        (f"{folder}/book.ipynb#cells[0]", Dialect.MAXCOMPUTE, b"SELECT 2"),
        (f"{folder}/flow.json#a", Dialect.MAXCOMPUTE, b"SELECT 1"),
    ]


def test_scripts_are_compared_with_those_of_the_same_place(folder: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    changed = {**NODE, "script": {**NODE["script"], "content": "SELECT 0"}}  # type: ignore[dict-item]
    old.write_text(json.dumps({**FLOW, "spec": {"nodes": [changed]}}))
    (source,) = read_sources([str(folder / "flow.json")], None, old)
    assert (source.before, source.place) == (b"SELECT 0", "a")
