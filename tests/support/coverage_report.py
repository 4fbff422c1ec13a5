"""Prints the coverage of every package: `coverage json -o - | python -m tests.support.coverage_report`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

_COUNTED = ("covered_lines", "covered_branches", "num_statements", "num_branches")


def package_of(path: str) -> str:
    """Return the dotted package of a file, at most two levels deep: `workers.checks`."""
    return ".".join(PurePath(path).parent.parts[:2])


def by_package(files: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield each package with its coverage in percent, lines and branches together."""
    counts: dict[str, Counter[str]] = {}
    for path, file in sorted(files.items()):
        summary = file["summary"]
        counts.setdefault(package_of(path), Counter()).update({key: summary[key] for key in _COUNTED})
    for package, count in counts.items():
        possible = count["num_statements"] + count["num_branches"]
        covered = count["covered_lines"] + count["covered_branches"]
        yield package, 100 * covered / possible if possible else 100.0


if __name__ == "__main__":
    for name, percent in by_package(json.load(sys.stdin)["files"]):
        sys.stdout.write(f"{name:<36}{percent:6.1f} %\n")
