"""`dwgate up` with a custom policy and waivers, and `.env` with files and keys for every command."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from common.config_files.errors import ConfigError
from console import main
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
    return up.run(port=0, flower_port=0, data=folder / "data", policy_file=policy, waivers_file=waivers)


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


def run_with_env_file(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.setattr(main, "app", lambda: None)
    main.main()
    return environment


def test_the_environment_overrides_files_and_keys_of_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_with_env_file({}, monkeypatch) == {}
    Path(".env").write_text(
        "DWGATE_POLICY_FILE=other.yaml\nDWGATE_WAIVERS_FILE='a b.yaml'\nDWGATE_BROKER_URL=redis://h/0\n"
        "ALIBABA_CLOUD_ACCESS_KEY_ID=i\nALIBABA_CLOUD_ACCESS_KEY_SECRET=s\n"
    )
    files = {"DWGATE_POLICY_FILE": "mine.yaml", "DWGATE_WAIVERS_FILE": "a b.yaml"}
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "i", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s"}
    assert run_with_env_file({"DWGATE_POLICY_FILE": "mine.yaml"}, monkeypatch) == files | keys
    own = {"DWGATE_POLICY_FILE": "mine.yaml", "ALIBABA_CLOUD_ACCESS_KEY_ID": "mine"}
    assert run_with_env_file(dict(own), monkeypatch) == own | files
