"""Configuration files: positions, order and wording of problems, and the supported YAML."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common.config_files.errors import MAX_REPORTED, ConfigError, Problem, in_file_order
from common.config_files.reading import MAX_BYTES
from common.config_files.validation import describe, is_about_key, keys_of
from common.config_files.yaml_document import Document, dump, read_document


def test_an_error_has_one_line_per_problem() -> None:
    error = ConfigError(
        (
            Problem("dir: a/p.yaml", "missing", ("points", 3, "name"), 2, 10),
            Problem("p.yaml", "cannot be read"),
            Problem("p.yaml", "is empty", (), 1, 1),
        )
    )
    assert str(error).splitlines() == [
        "dir: a/p.yaml:2:10: points.3.name: missing",
        "p.yaml: cannot be read",
        "p.yaml:1:1: is empty",
    ]


def test_problems_are_in_file_order_whatever_the_file_name() -> None:
    problems = [
        Problem("a: b:9", "x", (), line, column) for line, column in ((10, 1), (9, 7), (9, 10), (10, 1))
    ]
    assert [(each.line, each.column) for each in in_file_order(problems)] == [(9, 7), (9, 10), (10, 1)]


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    from_: str | None = Field(default=None, alias="from")
    count: int = Field(default=1, ge=1)


class Empty(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    named: dict[str, Annotated[Inner, Field(title="t")]] = {}
    listed: tuple[Inner | None, ...] = ()
    empty: Empty | None = None
    share: float = Field(default=1, ge=0, le=0.5)
    either: int | str = 1


@pytest.mark.parametrize(
    ("values", "keys", "message", "at_key"),
    [
        ({"x": 1}, ("x",), "unknown key; expected one of named, listed, empty, share, either", True),
        ({"named": {"a": {"x": 1}}}, ("named", "a", "x"), "unknown key; expected one of from, count", True),
        ({"listed": [None, {"x": 1}]}, ("listed", 1, "x"), "unknown key; expected one of from, count", True),
        ({"empty": {"x": 1}}, ("empty", "x"), "unknown key; expected none", True),
        ({"named": {1: {}}}, ("named", 1), "expected text", True),
        ({"named": []}, ("named",), "expected a mapping", False),
        ({"named": {"a": 1}}, ("named", "a"), "expected a mapping", False),
        ({"listed": {}}, ("listed",), "expected a list", False),
        ({"named": {"a": {"count": 0}}}, ("named", "a", "count"), "expected a number of at least 1", False),
        ({"share": 0.75}, ("share",), "expected a number of at most 0.5", False),
        ({"share": "much"}, ("share",), "expected a number", False),
    ],
)
def test_a_validation_error_message(
    values: dict[str, Any], keys: tuple[str | int, ...], message: str, at_key: bool
) -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(values)
    (error,) = caught.value.errors()
    assert (keys_of(error), describe(error, Outer), is_about_key(error)) == (keys, message, at_key)


def document(text: str) -> Document:
    return read_document("f.yaml", text.encode())


def test_only_core_types_are_not_text() -> None:
    plain = "{a: 22:00, b: on, c: 2026-10-01, d: 007, e: 0x1f, f: 1e3, g: 1_000, h: .inf, i: <<}"
    assert all(isinstance(value, str) for value in document(plain).values.values())
    core = "{a: 7, b: -1.5, c: true, d: ~, e: , f: !!str 7, g: '7'}"
    assert list(document(core).values.values()) == [7, -1.5, True, None, None, "7", "7"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: {c: 1, c: 2}\na: 3\n", "2:11: b.c: duplicate key, first on line 2"),
        ("a: !!int x\n", "1:4: a: not a valid int"),
        ("a: !!timestamp 2026-10-01\n", "1:4: a: unsupported tag tag:yaml.org,2002:timestamp"),
        ("a: !!python/object:os.system {}\n", "1:4: a: unsupported tag"),
        ("a: !!set {b}\n", "1:4: a: unsupported tag"),
        ("? [a]\n: 1\n", "1:3: a key must be a plain value"),
        ("%YAML 1.9\n---\na: 1\n", "1:1: not YAML: unsupported %YAML directive"),
        ("a: *b\n", "1:4: not YAML: found undefined alias 'b'"),
    ],
)
def test_unsupported_yaml_is_rejected(text: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        document(text)
    assert str(caught.value).splitlines()[0].startswith(f"f.yaml:{line}")


def test_every_duplicate_key_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        document("a: 1\nb: {c: 1, c: 2}\na: 3\n")
    assert [(each.line, each.keys) for each in caught.value.problems] == [(2, ("b", "c")), (3, ("a",))]


def error_of(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        document(text)
    return str(caught.value)


def test_an_alias_is_the_same_value() -> None:
    values = document("a: &a [x]\nb: [*a, *a]\n").values
    assert values["b"][0] is values["b"][1] is values["a"]


@pytest.mark.parametrize("levels", [9, 40, 400])
def test_aliases_of_aliases_are_counted_as_what_they_stand_for(levels: int) -> None:
    lines = "".join(
        f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 9)}]\n" for level in range(1, levels)
    )
    error = error_of(f"l0: &l0 [x, x, x]\n{lines}")
    assert error == "f.yaml:5:5: l4: too many values; expected at most 20000, aliases replaced"


def test_depth_is_limited_with_aliases_too() -> None:
    deepest = "[" * 39 + "]" * 39
    assert document(f"a: {deepest}").values
    assert error_of(f"a: [{deepest}]") == "f.yaml:1:43: nested too deeply; expected at most 40 levels"
    assert error_of("a: " + "[" * 20_000) == "f.yaml:1:43: nested too deeply; expected at most 40 levels"
    lines = "".join(f"l{level}: &l{level} [*l{level - 1}]\n" for level in range(1, 3000))
    assert "nested too deeply; expected at most 40 levels, aliases replaced" in error_of(
        f"l0: &l0 []\n{lines}"
    )


@pytest.mark.parametrize(("text", "keys"), [("a: &a [1, *a]", "a.1"), ("a: &a {b: [1, {c: *a}]}", "a.b.1.c")])
def test_an_alias_of_what_contains_it_is_rejected(text: str, keys: str) -> None:
    assert error_of(text) == f"f.yaml:1:4: {keys}: an alias of a value that contains it"


def test_the_number_of_values_is_limited() -> None:
    keys = ", ".join(f"k{number}: 1" for number in range(60_000))
    assert error_of(f"{{{keys}}}").endswith("too many values; expected at most 20000")


def test_the_size_is_limited() -> None:
    with pytest.raises(ConfigError, match=r"^f.yaml:1:1: too large; expected at most 1048576 bytes$"):
        read_document("f.yaml", b"a: " + b"b" * MAX_BYTES)


def test_an_error_lists_some_problems_and_counts_the_rest() -> None:
    lines = error_of("".join("a: 1\n" for _ in range(1000))).splitlines()
    assert len(lines) == MAX_REPORTED + 1
    assert lines[0] == "f.yaml:2:1: a: duplicate key, first on line 1"
    assert lines[-1] == f"f.yaml: {999 - MAX_REPORTED} more problems"


def test_validation_errors_are_the_first_of_the_file() -> None:
    text = "".join(f"k{number}: 1\n" for number in range(9000)) + "share: 9\n"
    found = document(text)
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(found.values)
    error = found.validation_error(caught.value, Outer)
    assert [each.line for each in error.problems] == list(range(1, MAX_REPORTED + 1))
    assert error.unreported == 9001 - MAX_REPORTED


def test_a_long_key_is_shortened() -> None:
    assert error_of(f"{'k' * 300}: 1\n{'k' * 300}: 1\n").startswith(f"f.yaml:2:1: {'k' * 59}…: duplicate key")


def test_anchors_may_be_defined_twice() -> None:
    assert document("a: &x 1\nb: &x 2\nc: *x\n").values == {"a": 1, "b": 2, "c": 2}


def test_a_part_has_its_positions_in_the_file() -> None:
    part = document("a:\n  - b: 1\n    c: 2\n").part(("a", 0), {"c": 2})
    assert str(part.problem(("c",), "wrong")) == "f.yaml:3:8: a.0.c: wrong"


def test_dumped_values_are_read_back_unchanged() -> None:
    values: dict[str, Any] = {
        "z": [{"a": "22:00", "b": "x " * 100}],
        "o": {},
        "l": [],
        "t": "true",
        "n": None,
        "zh": "月底",
    }
    text = dump(values, width=100)
    assert document(text).values == values
    assert text.startswith("z:\n")
    assert "月底" in text


def test_an_anchor_that_is_defined_again_counts_from_there_on() -> None:
    read = read_document("a.yaml", b"a: &x 1\nb: &x 2\nc: *x\n")
    assert read.values == {"a": 1, "b": 2, "c": 2}
