"""`dwgate up` with a policy and waivers of one's own, and `.env` that names them to every command."""

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
    """The settings with which a stack was started; it ends as soon as it runs."""
    given: list[Mapping[str, str]] = []

    def running(_folder: Path, *, settings: Mapping[str, str], **_ports: Any) -> None:
        given.append(settings)
        raise KeyboardInterrupt

    monkeypatch.setattr(stack, "running_stack", running)
    return given


def run(folder: Path, policy: Path | None, waivers: Path | None) -> int:
    return up.run(port=0, flower_port=0, data=folder / "data", policy_file=policy, waivers_file=waivers)


def test_the_worker_gets_the_files_by_their_whole_paths(
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


def test_a_wrong_file_is_told_before_anything_runs(started: list[Mapping[str, str]], tmp_path: Path) -> None:
    (bad := tmp_path / "p.yaml").write_text(POLICY % "adit")
    with pytest.raises(ConfigError, match="mode: expected 'enforce', 'warn' or 'audit'"):
        run(tmp_path, bad, None)
    with pytest.raises(ConfigError, match="cannot be read"):
        run(tmp_path, None, tmp_path / "none.yaml")
    assert not started


def heeded(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.setattr(main, "app", lambda: None)
    main.main()
    return environment


def test_env_file_holds_files_and_keys_where_the_environment_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert heeded({}, monkeypatch) == {}
    Path(".env").write_text(
        "DWGATE_POLICY_FILE=other.yaml\nDWGATE_WAIVERS_FILE='a b.yaml'\nDWGATE_BROKER_URL=redis://h/0\n"
        "ALIBABA_CLOUD_ACCESS_KEY_ID=i\nALIBABA_CLOUD_ACCESS_KEY_SECRET=s\n"
    )
    files = {"DWGATE_POLICY_FILE": "mine.yaml", "DWGATE_WAIVERS_FILE": "a b.yaml"}
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "i", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s"}
    assert heeded({"DWGATE_POLICY_FILE": "mine.yaml"}, monkeypatch) == files | keys
    own = {"DWGATE_POLICY_FILE": "mine.yaml", "ALIBABA_CLOUD_ACCESS_KEY_ID": "mine"}
    assert heeded(dict(own), monkeypatch) == own | files
