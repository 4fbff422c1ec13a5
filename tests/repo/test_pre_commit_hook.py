"""The hook for pre-commit: its entry runs, for the files that it names."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

from review.dialects import Dialect
from review.source.source_files import SUFFIXES

ROOT = Path(__file__).parents[2]


def test_the_entry_reviews_the_files_that_it_is_given(tmp_path: Path) -> None:
    (hook,) = YAML(typ="safe").load(ROOT / ".pre-commit-hooks.yaml")
    assert hook["language"] == "python", "it is installed with this package, and so is its entry"
    (tmp_path / "good.sql").write_text("SELECT id FROM t WHERE ds = '${bizdate}';\n")
    (tmp_path / "bad.sql").write_text("DELETE FROM t;\n")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for names, code in ((["good.sql"], 0), (["good.sql", "bad.sql"], 1)):
        words = [*shlex.split(hook["entry"]), *names]
        answer = subprocess.run(
            words,
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (answer.returncode, answer.stderr) == (code, "")
        assert ("MC-C14" in answer.stdout) == bool(code)


def test_the_hook_is_given_the_files_that_can_be_reviewed() -> None:
    (hook,) = YAML(typ="safe").load(ROOT / ".pre-commit-hooks.yaml")
    for suffix, dialect in SUFFIXES.items():
        # Most JSON is no job of data integration.
        assert bool(re.search(hook["files"], f"etl/node{suffix}")) == (dialect is not Dialect.DI)
