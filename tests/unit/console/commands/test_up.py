"""`dwgate up` with a custom policy and waivers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from common.config_files.errors import ConfigError
from console.commands import up
from deploy.local import stack

POLICY = "version: 1\npoints: {commit-file: {checks: {code-review: {mode: %s}}}}\n"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, str]]:
    """Settings of each started stack; it stops immediately."""
    settings_seen: list[Mapping[str, str]] = []

    def running(_folder: Path, *, settings: Mapping[str, str], **_ports: Any) -> None:
        settings_seen.append(settings)
        raise KeyboardInterrupt

    monkeypatch.setattr(stack, "running_stack", running)
    return settings_seen


def run(folder: Path, policy: Path | None, waivers: Path | None) -> int:
    return up.run(
        port=0, console_port=0, flower_port=0, data=folder / "data", policy_file=policy, waivers_file=waivers
    )


def test_the_worker_gets_absolute_paths(
    started: list[Mapping[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(POLICY % "audit")
    Path("w.yaml").write_text("version: 1\nwaivers: []\n")
    assert run(tmp_path, Path("p.yaml"), Path("w.yaml")) == 0
    assert run(tmp_path, None, None) == 0
    assert started == [
        {"DWGATE_POLICY_FILE": f"{tmp_path}/p.yaml", "DWGATE_WAIVERS_FILE": f"{tmp_path}/w.yaml"},
        {},
    ]


def test_an_invalid_file_is_reported_before_anything_runs(
    started: list[Mapping[str, str]], tmp_path: Path
) -> None:
    (bad := tmp_path / "p.yaml").write_text(POLICY % "adit")
    with pytest.raises(ConfigError, match="mode: expected 'enforce', 'warn' or 'audit'"):
        run(tmp_path, bad, None)
    with pytest.raises(ConfigError, match="cannot be read"):
        run(tmp_path, None, tmp_path / "none.yaml")
    assert not started
