"""Libraries are loaded without what they import and dwgate never uses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PRINT_LOADED = "import sys; print(*sorted(name for name in sys.modules if name.split('.')[0] in {hidden}))"


def loaded(code: str, *hidden: str) -> list[str]:
    """Run `code` in a new interpreter, and return the modules of the packages `hidden` that it loaded."""
    run = subprocess.run(
        [sys.executable, "-c", f"{code}; {PRINT_LOADED.format(hidden=set(hidden))}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.split()


@pytest.mark.parametrize(
    ("module", "hidden"),
    [("common.processes.structlog_import", "rich"), ("common.processes.redis_import", "opentelemetry")],
)
def test_a_library_is_loaded_without_what_it_could_import(module: str, hidden: str) -> None:
    assert loaded(f"import {module}", hidden) == []


def test_what_was_hidden_can_be_imported_later() -> None:
    assert "rich.text" in loaded("import common.processes.structlog_import, rich.text", "rich")


def test_what_is_already_imported_stays() -> None:
    assert "rich" in loaded("import rich, common.processes.structlog_import", "rich")


DEFERRING = """
import sys
from common.processes.lean_import import import_deferring
import_deferring("wave_user", ["wave"])
print("wave" in sys.modules)
import wave, wave_user
print(wave_user.fault() is wave.Error)
"""
USER = """
import wave
from typing import Optional
from wave import Wave_read

def read(file: Wave_read) -> Optional[wave.Wave_read]: ...
def fault(): return type(wave.Error())
"""


def test_a_deferred_module_is_imported_when_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "wave_user.py").write_text(USER)
    code = f"import sys; sys.path.append({str(tmp_path)!r}){DEFERRING}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "True"]


def test_the_sdk_loads_no_aiohttp_until_it_is_called_asynchronously() -> None:
    assert loaded("import workers.dataworks.sdk", "aiohttp") == []
    call = "import workers.dataworks.sdk, darabonba.core as core; core.aiohttp.ClientTimeout(total=1)"
    assert "aiohttp" in loaded(call, "aiohttp")


def test_the_worker_command_and_its_processes_load_no_rich() -> None:
    code = (
        "import console.commands.services.worker as command;"
        "command.run.__globals__['preloaded'].load(calls_dataworks=True, is_traced=False)"
    )
    assert loaded(code, "rich") == []
