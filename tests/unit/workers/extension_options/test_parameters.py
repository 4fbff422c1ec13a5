"""The extension's built-in parameters: last value wins, lists are appended, invalid lines reported."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.extension_options.parameters import parse_parameters

OFF = """
extension.project.disabled=1
extension.project.disabled = 10, 11,
extension.project.disabled.append=12
extension.project.commit-file.disabled=20
extension.project.commit-file.disabled.append=21,22
extension.fileType.23.deploy-file.enabled=true
extension.fileType.10.deploy-file.enabled=true
extension.fileType.10.deploy-file.enabled=False
extension.manualPass.enabled=true
our.own.key=anything
"""


@pytest.mark.parametrize(
    ("event_code", "project", "file_type", "off"),
    [
        ("commit-file", 1, 10, False),  # the last value of a repeated key applies
        ("commit-file", 10, None, True),
        ("freeze-node", 11, None, True),
        ("freeze-node", 12, None, True),
        ("commit-file", 20, None, True),
        ("commit-file", 22, None, True),
        ("deploy-file", 20, None, False),
        ("deploy-file", 1, 10, True),
        ("deploy-file", 1, 23, False),
        ("deploy-file", 1, 24, False),  # enabling one type does not disable the others
        ("deploy-file", 1, None, False),
        ("delete-project", None, None, False),
    ],
)
def test_disabled_workspaces_and_node_types(
    event_code: str, project: int | None, file_type: int | None, off: bool
) -> None:
    assert (parse_parameters(OFF).disabled_reason(event_code, project, file_type) is not None) is off


def test_valid_parameters_have_no_invalid_lines() -> None:
    assert parse_parameters(OFF).invalid_lines == ()


def test_the_reason_names_workspace_and_key_in_both_languages() -> None:
    everywhere, here = (
        parse_parameters(OFF).disabled_reason("commit-file", 10, None),
        parse_parameters(OFF).disabled_reason("commit-file", 20, None),
    )
    assert everywhere
    assert here
    assert everywhere.en == "dwgate is disabled in workspace 10 (extension.project.disabled)."
    assert here.en == "dwgate is disabled in workspace 20 (extension.project.commit-file.disabled)."
    assert "20" in here.zh


@pytest.mark.parametrize(
    ("line", "junk"),
    [
        ("no equals sign", "line 1: expected key=value"),
        ("extension.project.disabled=7,x", "line 1: invalid workspace id; expected a number"),
        ("extension.project.disabled=-7", "line 1: invalid workspace id; expected a number"),
        (f"extension.project.disabled={'9' * 5000}", "line 1: invalid workspace id; expected a number"),
        ("extension.project.no-such-point.disabled=7", "line 1: unknown parameter or invalid value"),
        ("extension.fileType.10.commit-file.enabled=maybe", "line 1: unknown parameter or invalid value"),
        ("extension.fileType.sql.commit-file.enabled=false", "line 1: unknown parameter or invalid value"),
        ("extension.project.enabled=7", "line 1: unknown parameter or invalid value"),
    ],
)
def test_invalid_lines_are_reported_without_their_text(line: str, junk: str) -> None:
    read = parse_parameters(f"{line}\nextension.project.freeze-node.disabled=3")
    assert [each[: len(junk)] for each in read.invalid_lines] == [junk]
    assert read.disabled_reason("freeze-node", 3, None)
    assert read.disabled_reason("freeze-node", -7, None) is None


@settings(deadline=None)
@given(st.text(alphabet="extnsio.prjcdabl=,\n 1٣", max_size=200))
def test_any_text_can_be_parsed(text: str) -> None:
    parse_parameters(text).disabled_reason("commit-file", 1, 1)
