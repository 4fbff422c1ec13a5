"""External linters: what they may use, and what follows if they reach a limit."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from common.verdicts import Severity
from review.dialects import Dialect
from review.languages import run_external_linter
from review.languages.external import launcher
from review.languages.external.external_tool import ExternalTool, ToolFailed, missing_restrictions, run

PROBE = """
import json, os, socket, sys
sys.path.insert(0, sys.argv[1])
import launcher
missing = launcher.restrict("/bin/true", 5)
def refused(action):
    try:
        action()
    except (OSError, MemoryError):
        return True
    return False
print(json.dumps({
    "missing": missing,
    "socket": refused(socket.socket),
    "read": refused(lambda: open("/etc/passwd").read()),
    "environment of another process": refused(lambda: open(f"/proc/{os.getppid()}/environ").read()),
    "write": refused(lambda: open(sys.argv[2], "w")),
    "list": refused(lambda: os.listdir("/")),
    "execute": refused(lambda: os.execv("/bin/sh", ["sh"])),
    "memory": refused(lambda: bytearray(300 << 20)),
    "library": refused(lambda: os.listdir("/usr/lib")),
    "little memory": refused(lambda: bytearray(30 << 20)),
}))
"""


def test_a_restricted_process_has_no_network_no_files_and_little_memory(tmp_path: Path) -> None:
    folder = str(Path(launcher.__file__).parent)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROBE, folder, str(tmp_path / "new")],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found.pop("missing") == []
    assert not found.pop("library")
    assert not found.pop("little memory")
    assert all(found.values()), found


def test_this_system_offers_every_restriction() -> None:
    assert missing_restrictions() == []


@pytest.mark.parametrize(
    ("number", "refused"), [(40, False), (41, True), (42, False), (425, True), (1 << 30, True)]
)
@pytest.mark.parametrize("architecture", [7, 8])
def test_the_filter_refuses_the_listed_calls_and_other_tables(
    number: int, architecture: int, *, refused: bool
) -> None:
    program = list(struct.iter_unpack("=HBBI", launcher.build_filter(7, (41, 425))))
    loaded, at = 0, 0
    while True:
        code, jump_true, jump_false, value = program[at]
        at += 1
        if code == 0x06:
            assert (value != 0x7FFF0000) is (refused or architecture != 7)
            return
        if code == 0x20:
            loaded = {0: number, 4: architecture}[value]
        else:
            at += jump_true if (loaded == value if code == 0x15 else loaded >= value) else jump_false


def test_output_is_bounded() -> None:
    with pytest.raises(ToolFailed, match="its findings need more than 8 MiB"):
        run(ExternalTool("yes", "X", ("secret",)), "", 30)


def test_a_linter_out_of_memory_is_a_finding_and_takes_no_more() -> None:
    script = (
        "import resource, sys\n"
        "from review.dialects import Dialect\n"
        "from review.languages import run_external_linter\n"
        "code = 'echo ' + '$((1+' * 200_000 + '1' + '))' * 200_000\n"
        "[hit] = run_external_linter(code, Dialect.SHELL, 60)\n"
        "print(hit.rule, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10, hit.message.en)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    rule, mebibytes, message = done.stdout.strip().split(" ", 2)
    assert rule == "SH-SHELLCHECK"
    assert "not reviewed by shellcheck" in message
    assert "256 MiB of memory" in message
    assert int(mebibytes) < 400


def test_ordinary_code_of_the_size_of_a_node_fits_into_the_limits() -> None:
    lines = 2_000
    hits = [*run_external_linter('echo "$x" $y\n' * lines, Dialect.SHELL, 60)]
    assert hits[0].rule == "SH-SC2086"
    hits = [*run_external_linter("value = undefined + 1\n" * lines, Dialect.PYTHON, 60)]
    assert hits[0].rule == "PY-F821"
    hits = [*run_external_linter("drop table a;\n" * lines, Dialect.HOLOGRES, 60)]
    assert "PG-ban-drop-table" in {hit.rule for hit in hits}
    assert all(hit.severity is not Severity.BLOCK for hit in hits)


def test_processor_time_is_bounded() -> None:
    endless = ["/usr/bin/sha256sum", "/dev/zero"]
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(Path(launcher.__file__)), "1", "", *endless],
        capture_output=True,
        check=False,
    )
    assert -done.returncode in (signal.SIGXCPU, signal.SIGKILL)


def test_a_linter_that_cannot_be_executed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (broken := tmp_path / "broken").write_bytes(b"\x7fELF")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(ToolFailed, match="it could not be started"):
        run(ExternalTool("broken", "X", ()), "", 5)
