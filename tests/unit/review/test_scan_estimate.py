"""The estimator of an installed package: found by its entry point, one at most, and asked by the check."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from review.tables import scan_estimate

SOURCE = "def scanned(code, project):\n    return len(code)\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "acme_cost", raising=False)
    (tmp_path / "acme_cost.py").write_text(SOURCE)
    return tmp_path


def install(place: Path, *values: str) -> None:
    info = place / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    lines = "".join(f"acme{number} = {value}\n" for number, value in enumerate(values))
    (info / "entry_points.txt").write_text(f"[{scan_estimate.GROUP}]\n{lines}")
    importlib.invalidate_caches()


def test_there_is_none_unless_a_package_brings_it() -> None:
    assert scan_estimate.load_estimator() is None


def test_the_function_of_a_package_is_the_estimator(place: Path) -> None:
    install(place, "acme_cost:scanned")
    estimator = scan_estimate.load_estimator()
    assert estimator is not None
    assert estimator("SELECT 1", "shop") == 8


def test_two_are_one_too_many(place: Path) -> None:
    install(place, "acme_cost:scanned", "acme_cost:other")
    with pytest.raises(
        scan_estimate.EstimatorInvalid, match="acme_cost:other, acme_cost:scanned; expected at most one"
    ):
        scan_estimate.load_estimator()


@pytest.mark.parametrize("value", ["acme_cost:absent", "no_such_module:scanned"])
def test_one_that_cannot_be_loaded_is_named(place: Path, value: str) -> None:
    install(place, value)
    with pytest.raises(scan_estimate.EstimatorInvalid, match=f"acme0 = {value}"):
        scan_estimate.load_estimator()
