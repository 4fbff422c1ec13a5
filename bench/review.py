"""Measures the review on real SQL: `python -m bench.review parse|lineage|speed FOLDER…`, or `command`.

A directory is named for its dialect (`maxcompute`, `hive`, `spark`, …); docs/review.md lists the sources of
the SQL for the published figures.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from bench.corpora import corpus, one_line
from review.parsing.parse import Unparsed, parse_statement


def main() -> int:
    """Return 0; a figure that misses its target is reported without failing the run."""
    parser = argparse.ArgumentParser(prog="python -m bench.review", description=__doc__)
    modes = parser.add_subparsers(dest="mode", required=True)
    parsing = modes.add_parser("parse", help="how many distinct statements parse to a tree")
    parsing.add_argument("--list", action="store_true", help="print the statements that do not")
    tracing = modes.add_parser("lineage", help="compare tables read and written with druid's")
    tracing.add_argument("--druid", type=Path, required=True, help="the jar of com.alibaba:druid; needs Java")
    tracing.add_argument("--list", action="store_true", help="print the statements that differ")
    timing = modes.add_parser("speed", help="milliseconds per KB, compared with sqlglot alone and sqlfluff")
    modes.add_parser("command", help="CPU seconds of dwgate review, compared with the bare tools")
    for mode in (parsing, tracing, timing):
        mode.add_argument("folders", nargs="+", type=Path)
    arguments = parser.parse_args()
    if arguments.mode == "parse":
        rates(arguments.folders, listed=arguments.list)
    elif arguments.mode == "lineage":
        from bench.lineage import compared  # noqa: PLC0415 - only this mode needs it

        compared(arguments.folders, arguments.druid, listed=arguments.list)
    elif arguments.mode == "command":
        from bench import review_command  # noqa: PLC0415 - only this mode needs it

        review_command.measured()
    else:
        from bench.speed import measured  # noqa: PLC0415 - sqlfluff takes a second to import

        measured(arguments.folders)
    return 0


def rates(folders: list[Path], *, listed: bool) -> None:
    """Print per folder how many distinct statements parse."""
    print(
        f"{'dialect':<12}{'statements':>11}{'parsed':>9}{'share':>9}  not parsed, by reason; client commands"
    )
    for folder in folders:
        source = corpus(folder)
        parsed, clients, reasons = 0, 0, Counter[str]()
        for path, piece in source.statements():
            if piece.client:
                clients += 1
                continue
            tree = parse_statement(piece.text, piece.verb, source.dialect)
            if not isinstance(tree, Unparsed):
                parsed += 1
                continue
            reasons[tree.reason] += 1
            if listed:
                near = piece.text[max((tree.offset or 0) - 20, 0) :][:40]
                print(f"{path.name}: {tree.reason} near {near!r}\n  {one_line(piece.text)[:600]}")
        total = parsed + reasons.total()
        share = 100 * parsed / total if total else 0.0
        why = ", ".join(f"{reason}: {count}" for reason, count in reasons.most_common())
        print(f"{source.dialect:<12}{total:>11}{parsed:>9}{share:>8.2f}%  {why or '-'}; {clients}")


if __name__ == "__main__":
    sys.exit(main())
