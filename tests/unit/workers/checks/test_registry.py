"""Checks register by decorator and by the entry points of installed packages."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import cast

import pytest

from common.extension_points import BY_CODE
from workers.checks import registry
from workers.checks.api import Context, Options, Runs

OWN = {
    "backfill-limits",
    "code-review",
    "data-upload",
    "data-download",
    "downstream-impact",
    "frozen-parents",
    "instance-operations",
    "permission-request",
    "quality-rules",
    "release-window",
    "sync-start",
    "table-change",
    "table-design",
    "workspace-deletion",
}
FOREIGN = """
from workers.checks.api import Runs
from workers.checks.registry import check

@check("{name}", points=("commit-file",), runs=Runs.INLINE)
def ask(context):
    '''Check nothing.'''
    return ()
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place on the import path for a package; what it registers is forgotten afterwards."""
    registry.load_checks()
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    monkeypatch.setattr(registry, "_problems", {})
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "acme_checks", raising=False)
    return tmp_path


def install(place: Path, source: str | None, value: str = "acme_checks") -> None:
    if source is not None:
        (place / "acme_checks.py").write_text(source)
    info = place / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[dwgate.checks]\nacme = {value}\n")
    importlib.invalidate_caches()


def test_own_checks_are_found_and_told() -> None:
    checks = registry.load_checks()
    assert checks.keys() >= OWN
    for name in OWN:
        check = checks[name]
        assert check.title.startswith("Check ")
        assert "Why:" in (check.run.__doc__ or "")
        assert check.points <= BY_CODE.keys()
        documented = check.run.__doc__ or ""
        assert all(f"{field}:" in documented for field in check.options.model_fields)


def test_a_check_of_another_package_is_found(package: Path) -> None:
    install(package, FOREIGN.format(name="acme-check"))
    check = registry.load_checks()["acme-check"]
    assert check.title == "Check nothing."
    assert check.applies_to("commit-file")
    assert not check.applies_to("deploy-file")


def test_a_package_that_cannot_be_imported_is_named(package: Path) -> None:
    install(package, None)
    check = registry.load_checks()["acme"]
    (problem,) = registry.problems()
    assert str(problem).startswith("plug-in acme = acme_checks (dwgate.checks): cannot be imported: ")
    with pytest.raises(registry.CheckUnavailable, match="cannot be imported"):
        list(check.run(cast("Context", None)))


def test_a_name_that_is_taken_is_refused(package: Path) -> None:
    install(package, FOREIGN.format(name="code-review"))
    checks = registry.load_checks()
    (problem,) = registry.problems()
    assert "check code-review: defined in workers.checks.builtin.code_review and in acme" in problem.reason
    assert checks["code-review"].run.__module__ == "workers.checks.builtin.code_review"


def test_options_need_defaults() -> None:
    class Needy(Options):
        limit: int

    with pytest.raises(registry.CheckError, match="Needy has fields without a valid default: limit"):
        registry.check("needy", runs=Runs.INLINE, options=Needy)(lambda _: ())


def test_an_unknown_point_is_refused() -> None:
    with pytest.raises(registry.CheckError, match="comit-file"):
        registry.check("x", points=("comit-file",), runs=Runs.INLINE, options=Options)(lambda _: ())
