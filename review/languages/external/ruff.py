"""Runs ruff on a Python node for errors and dangerous calls; formatting is left to the editor."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from common.verdicts import Severity
from review.languages.external.external_diagnostic import ExternalDiagnostic
from review.languages.external.external_tool import (
    Batch,
    ExternalTool,
    Offsets,
    ToolFailed,
    limit_hits,
    run,
    run_ahead,
    tool_failure_hit,
)
from review.rules.external_rules import message_of

_SELECT = (
    "F,E9,B,S102,S110,S112,S113,S301,S302,S306,S307,S323,S501,S506,S602,S604,S605,S609,S701,PD007,PD008,PD009"
)
_IGNORE = "F405,B007,B009,B010,B011,B028,B904,B905"
"""Matters of style, and names from `import *`, which ruff cannot resolve."""
_WARN = re.compile(r"F(?:5|6|7|811|82)\d*|E9\d+|B006|B008|B015|B02[0-5]|S.*|PD007")
"""Rules whose findings are warnings; other findings are informational."""

_ARGUMENTS = (
    "check",
    "--isolated",
    "--no-cache",
    "--ignore-noqa",
    "--quiet",
    "--output-format=json",
    "--target-version=py313",
    f"--select={_SELECT}",
    f"--ignore={_IGNORE}",
    # DataWorks defines these names in every PyODPS node.
    '--config=builtins=["o", "odps", "args"]',
)


def _split(result: list[dict[str, Any]], paths: Sequence[str]) -> list[list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {path: [] for path in paths}
    for item in result:
        found[item["filename"]].append(item)
    return list(found.values())


RUFF = ExternalTool(
    "ruff",
    "PY-RUFF",
    (*_ARGUMENTS, "--stdin-filename=node.py", "-"),
    Batch((*_ARGUMENTS, "--extension=ruff:python"), _split),
)


def run_ruff_ahead(codes: Iterable[str], seconds: float) -> None:
    """Run ruff once on modules that `run_ruff` is going to be called with."""
    run_ahead(RUFF, list(codes), seconds)


def run_ruff(code: str, seconds: float) -> Iterator[ExternalDiagnostic]:
    """Yield ruff's findings on the module `code`, which must be Python 3."""
    try:
        answer = run(RUFF, code, seconds)
    except ToolFailed as error:
        yield tool_failure_hit(RUFF, code, error)
        return
    offsets = Offsets(code)
    yield from limit_hits(RUFF, code, (_hit(item, offsets) for item in answer if _is_rule(item)))


def _is_rule(item: dict[str, object]) -> bool:
    # A syntax error has no such code; MC-C19 reports it.
    return re.fullmatch(r"[A-Z]+[0-9]+", str(item.get("code"))) is not None


def _hit(item: dict[str, dict[str, int]], offsets: Offsets) -> ExternalDiagnostic:
    code = str(item["code"])
    first, last = item["location"], item["end_location"]
    return ExternalDiagnostic(
        f"PY-{code}",
        Severity.WARN if _WARN.fullmatch(code) else Severity.INFO,
        offsets.span((first["row"], first["column"]), (last["row"], last["column"])),
        message_of(f"PY-{code}"),
    )
