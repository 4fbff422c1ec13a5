"""Table names with parameters."""

from __future__ import annotations

import pytest

from workers.checks.code_effects.table_names import is_dynamic, name_pattern


@pytest.mark.parametrize(
    ("table", "name", "matches"),
    [
        ("dwd_${region}_di", "dwd_cn_di", True),
        ("dwd_${region}_di", "dwd__di", False),
        ("dwd_${region}_di", "dwd_cn_di_x", False),
        ("dwd_${region}_di", "dwd_a_di_b_di", True),
        ("${a}_${b}_${c}", "x_y_z", True),
        ("${a}_${b}_${c}", "x_y", False),
        ("${a}${b}", "x", True),
        ("shop.${a}.t", "shop.b.t", True),
        ("shop.${a}.t", "shop.b.c.t", False),
        ("p_%s", "p_1", True),
        ("plain", "plain", True),
    ],
)
def test_pattern_of_a_name_with_parameters(table: str, name: str, matches: bool) -> None:
    assert (name_pattern(table).fullmatch(name) is not None) is matches


def test_many_parameters_take_no_exponential_time() -> None:
    pattern = name_pattern("_".join(["{a}"] * 60) + "$")
    assert pattern.fullmatch("_a" * 60) is None


def test_an_open_parameter_is_part_of_the_name() -> None:
    assert not is_dynamic("t_" + "${" * 20_000)
