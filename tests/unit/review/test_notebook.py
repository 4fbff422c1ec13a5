"""The scripts of notebooks, by language."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.content.flow_spec import document_scripts
from review.content.node_script import NodeScript
from review.content.notebook import MAX_CELLS, node_scripts
from review.dialects import Dialect

NOTEBOOK = 1323


def notebook(*cells: object, **metadata: object) -> str:
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def cell(source: object, **metadata: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source, "metadata": metadata}


def scripts(*cells: object, **metadata: object) -> list[tuple[str, Dialect, str | None]]:
    found = document_scripts(notebook(*cells, **metadata))
    return [(script.code, script.dialect, script.place) for script in found]


@pytest.mark.parametrize(
    ("metadata", "dialect"),
    [
        ({"vscode": {"languageId": "odps-sql"}}, Dialect.MAXCOMPUTE),
        ({"languageId": "MaxCompute SQL"}, Dialect.MAXCOMPUTE),
        ({"language": "hologres-sql"}, Dialect.HOLOGRES),
        ({"language": "emr_spark_sql"}, Dialect.SPARK),
        ({"language": "shellscript"}, Dialect.SHELL),
        ({"language": "sql"}, Dialect.UNKNOWN),
    ],
)
def test_a_cell_names_its_language(metadata: dict[str, object], dialect: Dialect) -> None:
    assert scripts(cell("SELECT 1", **metadata)) == [("SELECT 1", dialect, "cells[0]")]


def test_python_cells_are_one_script_and_text_is_none() -> None:
    found = scripts(
        {"cell_type": "markdown", "source": "# Title"},
        cell(["a = 1\n", "b = 2"]),
        cell("c = a", language="python"),
        cell(" "),
    )
    assert found == [("a = 1\nb = 2\nc = a", Dialect.PYTHON, "cells")]


def test_a_notebook_names_the_language_of_its_cells() -> None:
    found = scripts(cell("SELECT 1"), language_info={"name": "odps-sql"})
    assert found == [("SELECT 1", Dialect.MAXCOMPUTE, "cells[0]")]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("%%odps\nSELECT 1", ("      \nSELECT 1", Dialect.MAXCOMPUTE, "cells[0]")),
        ("%%bash -e\nls", ("         \nls", Dialect.SHELL, "cells[0]")),
        ("%%sql x\nSELECT 1", ("       \nSELECT 1", Dialect.UNKNOWN, "cells[0]")),
        ("%%time\na = 1", ("      \na = 1", Dialect.PYTHON, "cells")),
    ],
)
def test_a_cell_magic_names_the_language(code: str, found: tuple[str, Dialect, str]) -> None:
    assert scripts(cell(code)) == [found]


def test_commands_and_magics_in_python_cells() -> None:
    found = scripts(cell("%pip install x\nif a:\n    !rm -rf $d\nb = 5 % 3"))
    assert found == [
        ("pass  # %pip install x\nif a:\n    pass  # !rm -rf $d\nb = 5 % 3", Dialect.PYTHON, "cells"),
        ("rm -rf $d", Dialect.SHELL, "cells"),
    ]


def test_cells_above_the_maximum_are_one_script_in_an_unknown_language() -> None:
    began = time.monotonic()
    found = document_scripts(notebook(*(cell(f"SELECT {n}", language="odps") for n in range(10_000))))
    assert time.monotonic() - began < 5
    assert len(found) == MAX_CELLS + 1
    last = found[-1]
    assert (last.dialect, last.place) == (Dialect.UNKNOWN, f"cells[{MAX_CELLS}:]")
    assert "SELECT 9999" in last.code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["source", "metadata", "language", "cell_type", "vscode", "languageId"]), inner
        )
    ),
)


@given(cells=st.lists(JSON), metadata=JSON)
def test_no_content_makes_it_raise(cells: list[object], metadata: object) -> None:
    found = node_scripts(json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4}), NOTEBOOK)
    assert all(isinstance(script, NodeScript) for script in found)


@pytest.mark.parametrize(
    "content", ["{}", '{"cells": []}', '{"cells": {}, "nbformat": 4}', "SELECT 1", '{"nbformat']
)
def test_other_content_is_no_notebook(content: str) -> None:
    assert document_scripts(content) == ()
    assert [script.code for script in node_scripts(content, NOTEBOOK)] == [content]
