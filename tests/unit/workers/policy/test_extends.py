"""Sets that extend one another: their order, circles, and how much they may add up to."""

from __future__ import annotations

import pytest

from common.config_files.errors import MAX_REPORTED, ConfigError
from workers.checks import registry
from workers.policy.extends import find_circular_extends, order_sets
from workers.policy.policy import Policy, parse_policy

CHECKS = registry.load_checks()
POINT = "points: {commit-file: {checks: {code-review: {}}}}"


def parse(text: str) -> Policy:
    return parse_policy("p.yaml", f"version: 1\n{text}\n".encode(), CHECKS)


def error_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return str(caught.value).splitlines()


def test_every_set_comes_once_after_what_it_extends() -> None:
    extends = {"a": ["b", "c"], "b": ["d"], "c": ["d", "missing"], "d": []}
    assert list(order_sets(["a"], extends)) == ["d", "b", "c", "a"]
    assert list(order_sets(["c", "a"], extends)) == ["d", "c", "b", "a"]


def test_only_references_within_a_circle_are_circular() -> None:
    extends = {"a": ["b"], "b": ["c", "x"], "c": ["a"], "x": ["y"], "y": ["x"], "z": ["a", "y"]}
    found = {(item.set_name, item.path) for item in find_circular_extends(extends)}
    assert found == {
        ("a", ("a", "b", "c", "a")),
        ("b", ("b", "c", "a", "b")),
        ("c", ("c", "a", "b", "c")),
        ("x", ("x", "y", "x")),
        ("y", ("y", "x", "y")),
    }


def test_a_chain_of_3000_sets_is_valid() -> None:
    chain = ", ".join(f"s{n}: {{extends: [s{n - 1}]}}" for n in range(1, 3000))
    policy = parse(f"sets: {{s0: {{{POINT}}}, {chain}}}\nextends: [s2999]")
    assert [check.name for check in policy.resolve("commit-file", None).checks] == ["code-review"]


def test_a_circle_of_3000_sets_is_reported_in_short_lines() -> None:
    circle = ", ".join(f"s{n}: {{extends: [s{(n + 1) % 3000}]}}" for n in range(3000))
    lines = error_of(f"sets: {{{circle}}}")
    assert len(lines) == MAX_REPORTED
    assert lines[0].endswith("circular extends: s0 > s1 > s2 > s3 > s4 > s5 > s6 > s7 > … 2992 more > s0")


def test_unknown_sets_list_some_of_those_that_exist() -> None:
    sets = ", ".join(f"s{n}: {{}}" for n in range(1000))
    (line,) = error_of(f"sets: {{{sets}}}\nextends: [x]")
    assert line.startswith("p.yaml:3:11: extends.0: unknown set x; expected one of s0, s1,")
    assert line.endswith(" and 950 more")


def test_layers_in_all_are_limited() -> None:
    chain = ", ".join(f"s{n}: {{extends: [s{n - 1}], {POINT}}}" for n in range(1, 800))
    workspaces = ", ".join(f"{n}: {{extends: [s799]}}" for n in range(100))
    (line,) = error_of(f"sets: {{s0: {{}}, {chain}}}\nworkspaces: {{{workspaces}}}")
    assert "too many layers: organisation and workspaces extend more than 50000 sets in all" in line


def test_combinations_are_limited() -> None:
    where = "\n".join(f"  - {{paths: [a{n}], {POINT}}}" for n in range(900))
    workspaces = "\n".join(f"  {n}: {{{POINT}}}" for n in range(900))
    (line,) = error_of(f"where:\n{where}\nworkspaces:\n{workspaces}")
    assert line.startswith(
        "p.yaml:1:1: too many combinations of workspaces, sets and where: more than 500000"
    )
