"""Settings come from a file only if it is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from console import env_file
from console.exit_codes import UsageError
from tests.support.measured import MEASURED

DWGATE = Path(sys.executable).with_name("dwgate")
KEYS = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "i", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / ".env"
    path.write_text(
        "# Ours.\nDWGATE_POLICY_FILE=other.yaml\nDWGATE_WAIVERS_FILE='a b.yaml'\nDWGATE_REGION=\n"
        "DWGATE_EXTENSION_CODE=a${HOME}b\nALIBABA_CLOUD_ACCESS_KEY_ID=i\nALIBABA_CLOUD_ACCESS_KEY_SECRET=s\n"
        "PATH=/nowhere\n"
    )
    return path


def exported(file: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return what the file adds to an environment, without the name of the file."""
    monkeypatch.setattr(os, "environ", before := dict(environment))
    env_file.export_settings(file)
    assert before.pop("DWGATE_ENV_FILE") == str(file)
    return before


def test_values_are_literal_and_other_variables_are_ignored(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exported(file, {"HOME": "/home/me"}, monkeypatch) == {
        "HOME": "/home/me",
        "DWGATE_POLICY_FILE": "other.yaml",
        "DWGATE_WAIVERS_FILE": "a b.yaml",
        "DWGATE_EXTENSION_CODE": "a${HOME}b",
        **KEYS,
    }


def test_the_environment_overrides_the_file_and_keys_are_never_mixed(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"DWGATE_POLICY_FILE": "mine.yaml", "ALIBABA_CLOUD_ACCESS_KEY_ID": "mine"}
    both = exported(file, own, monkeypatch)
    assert both["DWGATE_POLICY_FILE"] == "mine.yaml"
    assert {name: value for name, value in both.items() if name.startswith("ALIBABA")} == {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "mine"
    }


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"none: cannot be read: No such file .*; expected a file of settings"
    ):
        env_file.export_settings(tmp_path / "none")
    (binary := tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="binary: not UTF-8 text"):
        env_file.export_settings(binary)


def test_a_file_in_the_working_directory_is_read_only_on_request(file: Path) -> None:
    def checked(*options: str, **variables: str) -> str:
        done = subprocess.run(
            [DWGATE, *options, "policy", "check"],
            env={**MEASURED, "PATH": os.defpath, **variables},
            cwd=file.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    assert "(built in) is valid" in checked()
    assert "other.yaml: cannot be read" in checked("--env-file", ".env")
    assert "other.yaml: cannot be read" in checked(DWGATE_ENV_FILE=str(file))
    assert "mine.yaml: cannot be read" in checked("--env-file", ".env", DWGATE_POLICY_FILE="mine.yaml")


def test_a_file_that_is_not_used_is_found(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    monkeypatch.setattr(os, "environ", {})
    assert env_file.unread_file() == file
    env_file.export_settings(file)
    assert env_file.unread_file() is None
    file.unlink()
    assert env_file.unread_file() is None
