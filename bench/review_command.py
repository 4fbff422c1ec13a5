"""The CPU time of the command `dwgate review`, from start to end, beside the bare tool of each language.

The files are labelled nodes, one and then many of each language. The rival of SQL is a Python process that
only parses the same files with `sqlglot.parse` (hive for MaxCompute), that of Python is `ruff check`, that of
shell is `shellcheck`: one process for all files. Bytecode is compiled. CPU times are user and system time of
a process and its children, the minimum of `RUNS` interleaved runs.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from review.dialects import Dialect
from tests.support.labelled_nodes import labelled_nodes

RUNS = 7
MAX_FILES = 100

_PARSE = (
    "import sqlglot, sys\n"
    "from pathlib import Path\n"
    "for name in sys.argv[1:]:\n"
    "    sqlglot.parse(Path(name).read_text(encoding='utf-8'), dialect='hive', error_level='IGNORE')\n"
)
_RIVALS = {
    Dialect.MAXCOMPUTE: (".sql", "sqlglot", (sys.executable, "-c", _PARSE)),
    Dialect.PYTHON: (".py", "ruff", ("ruff", "check", "--isolated", "--no-cache", "--quiet")),
    Dialect.SHELL: (".sh", "shellcheck", ("shellcheck", "--norc", "--shell=bash")),
}
_COMMAND = (sys.executable, "-m", "console.main")


def measured() -> None:
    """Print a line for the version, one for each language with one file, and one with many."""
    print(f"{'files':<24}{'number':>7}{'KB':>7}{'CPU s':>8}{'rival':>12}{'CPU s':>8}{'ratio':>7}")
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": f"{folder}/bytecode", "NO_COLOR": "1"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        bare = (sys.executable, "-c", "pass")
        _line("dwgate --version", [], (*_COMMAND, "--version"), ("python", bare), environment)
        review = (*_COMMAND, "review", "--exit-zero", "--output-file", os.devnull)
        for dialect, (suffix, *rival) in _RIVALS.items():
            files = _written(Path(folder), dialect, suffix)
            for chosen in (files[:1], files):
                _line(dialect.value, chosen, review, rival, environment)


def _written(folder: Path, dialect: Dialect, suffix: str) -> list[Path]:
    """Write the labelled nodes of a dialect, up to `MAX_FILES`, the first one of about 1 KB."""
    nodes = [node.code for node in labelled_nodes() if node.dialect is dialect][:MAX_FILES]
    nodes.sort(key=lambda code: abs(len(code) - 1000))
    files = [folder / f"{number:03}{suffix}" for number in range(len(nodes))]
    for file, code in zip(files, nodes, strict=True):
        file.write_text(code, encoding="utf-8")
    return files


def _line(
    name: str,
    files: Sequence[Path],
    command: Sequence[str],
    rival: Sequence[Any],
    environment: dict[str, str],
) -> None:
    named = [str(file) for file in files]
    rounds = [
        (_seconds([*command, *named], environment), _seconds([*rival[1], *named], environment))
        for _ in range(RUNS)
    ]
    ours, theirs = (min(seconds) for seconds in zip(*rounds, strict=True))
    size = sum(file.stat().st_size for file in files) / 1024
    print(
        f"{name:<24}{len(files):>7}{size:>7.1f}{ours:>8.3f}{rival[0]:>12}{theirs:>8.3f}{ours / theirs:>7.1f}",
        flush=True,
    )


def _seconds(words: Sequence[str], environment: dict[str, str]) -> float:
    before = _children()
    subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
