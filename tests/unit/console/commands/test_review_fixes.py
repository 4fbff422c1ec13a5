"""`dwgate review --fix`: which files are written, and that none is written half."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from console.commands import review
from console.exit_codes import UsageError
from console.reviews import fixed_files
from console.reviews.settings import ReviewRequest

BAD = "-- 订单\nSELECT DISTINCT sum(id) AS n FROM t WHERE ds = '${bizdate}';\n"
GOOD = "-- 订单\nSELECT sum(id) AS n FROM t WHERE ds = '${bizdate}';\n"


def run(*paths: object, **options: Any) -> int:
    return review.run([str(path) for path in paths], ReviewRequest(**options))


@pytest.fixture
def node(tmp_path: Path) -> Path:
    path = tmp_path / "node.sql"
    path.write_text(BAD)
    return path


def dwgate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "console.main", "review", *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=folder)


def test_files_are_fixed_and_what_is_left_is_reported(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = node.with_name("other.sql")
    other.write_text("DELETE FROM t;\n")
    node.chmod(0o640)
    assert run(node.parent, fix=True, severity="info") == 1
    printed = capsys.readouterr()
    assert node.read_text() == GOOD
    assert stat.S_IMODE(node.stat().st_mode) == 0o640
    assert other.read_text() == "DELETE FROM t;\n"
    assert "MC-C14" in printed.out
    assert "MC-P08" not in printed.out
    assert printed.err == "dwgate: 1 finding in 1 file fixed\n"
    assert sorted(path.name for path in node.parent.iterdir()) == ["node.sql", "other.sql"]


def test_changes_are_only_shown_with_diff(node: Path) -> None:
    for words in (["--fix", "--diff", "node.sql"], ["node.sql", "--diff", "--fix"]):
        shown = dwgate(node.parent, *words)
        assert shown.returncode == 1
        assert shown.stdout.splitlines() == [
            "--- node.sql",
            "+++ node.sql",
            "@@ -1,2 +1,2 @@",
            " -- 订单",
            "-SELECT DISTINCT sum(id) AS n FROM t WHERE ds = '${bizdate}';",
            "+SELECT sum(id) AS n FROM t WHERE ds = '${bizdate}';",
        ]
        assert shown.stderr == "dwgate: 1 finding in 1 file would be fixed\n"
        assert node.read_text() == BAD
    assert dwgate(node.parent, "--fix", "node.sql").returncode == 0
    assert node.read_text() == GOOD
    nothing = dwgate(node.parent, "--fix", "--diff", "node.sql")
    assert (nothing.returncode, nothing.stdout) == (0, "")


def test_a_diff_shows_no_secret(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    node.write_text("-- secret_key = 'q1W2e3R4t5Y6u7I8o9'\n" + BAD)
    assert run(node, fix=True, show_fixes=True) == 1
    printed = capsys.readouterr().out
    assert "DISTINCT" in printed
    assert "q1W2" not in printed


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (text.encode(codec), changed.encode(codec))
        for codec in ("utf-8-sig", "gb18030", "utf-16", "utf-32")
        for text, changed in [(BAD, GOOD), (BAD.replace("\n", "\r\n"), GOOD.replace("\n", "\r\n"))]
    ],
)
def test_the_encoding_and_the_line_ends_stay(node: Path, before: bytes, after: bytes) -> None:
    node.write_bytes(before)
    run(node, fix=True)
    assert node.read_bytes() == after


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\xff",
        b'{"code": "SELECT DISTINCT sum(id) AS n FROM t", "config": {}}',
        b"SELECT DISTINCT sum((",
    ],
)
def test_files_that_cannot_be_restored_are_left_alone(node: Path, content: bytes) -> None:
    node.write_bytes(content)
    run(node, fix=True)
    assert node.read_bytes() == content


def test_ignored_rules_are_not_fixed(node: Path) -> None:
    run(node, fix=True, ignore=["MC-P08"])
    assert node.read_text() == BAD


def test_a_link_in_the_folder_stays_a_link(node: Path) -> None:
    link = node.with_name("z.sql")
    link.symlink_to(node)
    assert run(link, fix=True) == 0
    assert link.is_symlink()
    assert node.read_text() == GOOD


def test_a_file_that_cannot_be_written_stays_as_it_was(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match=r"node\.sql: cannot be written: No space left on device"):
        run(node, fix=True)
    assert node.read_text() == BAD
    assert [path.name for path in node.parent.iterdir()] == ["node.sql"]


def test_a_file_that_changes_meanwhile_is_not_overwritten(
    node: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = fixed_files.fix_files

    def slowly(*arguments: Any) -> Any:
        result = made(*arguments)
        node.write_text("SELECT 1;\n")
        return result

    monkeypatch.setattr(fixed_files, "fix_files", slowly)
    with pytest.raises(UsageError, match=r"node\.sql: changed during the review; it was not fixed"):
        run(node, fix=True)
    assert node.read_text() == "SELECT 1;\n"


def test_standard_input_cannot_be_fixed() -> None:
    with pytest.raises(UsageError, match="--fix: standard input cannot be fixed"):
        run("-", fix=True)
