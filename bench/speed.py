"""The speed of a review: compared with the parser alone, with sqlfluff, and for nodes of 10 KB.

A node consists of 10 KB of distinct real statements, in a random order drawn once; the statements are used
again, in another order, until there are `MAX_NODES`. Only statements that both parsers read completely are
used, since a parser that stops early is fast. For each node:

- "alone" is `sqlglot.parse` of its whole text with the stock dialect (hive for MaxCompute, postgres for
  Hologres), which only builds trees;
- "review" is all that a worker does with the same text: reading, facts, every rule, findings. External
  linters (squawk, for Hologres) are excluded: they are other processes, without a counterpart in the parser;
- "sqlfluff" is `Linter.lint_string` of its statements one by one.

Times are CPU times of this process, so that other load on the machine does not count, the minimum of `RUNS`
interleaved runs of each; p50 and p99 are over the nodes. After the start, loaded objects are excluded from
garbage collection (`gc.freeze`), as in a worker.
"""

from __future__ import annotations

import gc
import logging
import random
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import sqlglot
from sqlfluff.core import Linter
from sqlglot import exp
from sqlglot.errors import SqlglotError

from bench.corpora import Corpus, corpus
from bench.quantiles import quantile
from review import languages
from review.dialects import Dialect
from review.engine import review
from review.parsing.parse import Unparsed, parse_statement
from review.source.statement_splitter import StatementText

NODE_BYTES = 10_000
NODES = 100
RUNS = 3
SAMPLE = 60
"""Maximum number of statements passed to sqlfluff, which is slow."""

_BARE = {Dialect.MAXCOMPUTE: "hive", Dialect.HOLOGRES: "postgres"}


def measured(folders: list[Path]) -> None:
    """Print a line of figures per directory, for nodes composed of its statements."""
    print(
        f"CPU ms per KB: sqlglot alone, the review, sqlfluff; CPU ms for a node of 10 KB, minimum of {RUNS}"
    )
    print(
        f"{'dialect':<12}{'nodes':>6}{'alone':>8}{'review':>8}{'ratio':>7}{'sqlfluff':>10}{'times':>7}"
        f"{'p50':>8}{'p99':>8}"
    )
    logging.getLogger("sqlglot").disabled = True
    setattr(languages, "run_external_linter", _no_tool)  # noqa: B010 - the engine calls it through the module
    gc.collect()
    gc.freeze()
    for folder in folders:
        _line(corpus(folder))


def _line(source: Corpus) -> None:
    texts = [piece.text for _, piece in source.statements() if _whole(piece, source.dialect)]
    nodes = [";\n".join(node) for node in islice(_nodes(texts), NODES)]
    if not nodes:
        sys.exit(f"{source.dialect}: too few statements that both parsers read; expected {NODE_BYTES} bytes")
    pairs = [_fastest((_parse, _review), node, source.dialect) for node in nodes]
    alone, ours = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    size = sum(len(node.encode()) for node in nodes) / 1024
    texts = random.Random(11).sample(texts, min(SAMPLE, len(texts)))  # noqa: S311 - reproducible, not for secrets
    sample = [_fastest((_fluff, _review), text, source.dialect, times=1) for text in texts]
    fluff, beside = sum(pair[0] for pair in sample), sum(pair[1] for pair in sample)
    size_fluff = sum(len(text.encode()) for text in texts) / 1024
    times = [1000 * pair[1] for pair in pairs]
    print(
        f"{source.dialect:<12}{len(nodes):>6}{1000 * alone / size:>8.2f}{1000 * ours / size:>8.2f}"
        f"{ours / alone:>7.2f}{1000 * fluff / size_fluff:>10.1f}{fluff / beside:>7.0f}"
        f"{quantile(times, 0.5):>8.1f}{quantile(times, 0.99):>8.1f}",
        flush=True,
    )


def _whole(piece: StatementText, dialect: Dialect) -> bool:
    """Whether both the stock parser and ours parse it completely."""
    if piece.client or len(piece.text.encode()) > NODE_BYTES:
        return False
    try:
        trees = sqlglot.parse(piece.text, dialect=_BARE.get(dialect, dialect.value))
    except SqlglotError:
        return False
    stock = len(trees) == 1 and trees[0] is not None and not isinstance(trees[0], exp.Command)
    return stock and not isinstance(parse_statement(piece.text, piece.verb, dialect), Unparsed)


def _nodes(texts: list[str]) -> Iterator[list[str]]:
    """Yield an endless sequence of nodes of 10 KB; none if there is too little SQL."""
    chance, node = random.Random(11), list[str]()  # noqa: S311 - reproducible, not for secrets
    while sum(len(text.encode()) for text in texts) >= NODE_BYTES:
        for text in chance.sample(texts, len(texts)):
            node.append(text)
            if sum(len(part.encode()) for part in node) >= NODE_BYTES:
                yield node
                node = []


def _parse(text: str, dialect: Dialect) -> None:
    sqlglot.parse(text, dialect=_BARE.get(dialect, dialect.value))


def _review(text: str, dialect: Dialect) -> None:
    review(text, dialect)


_LINTERS: dict[str, Linter] = {}


def _fluff(text: str, dialect: Dialect) -> None:
    name = _BARE.get(dialect, dialect.value)
    name = "sparksql" if name == "spark" else name
    if name not in _LINTERS:
        _LINTERS[name] = Linter(dialect=name)
    _LINTERS[name].lint_string(text)


def _no_tool(*_: object) -> Iterator[languages.ExternalDiagnostic]:
    return iter(())


def _fastest(
    runs: tuple[Callable[[str, Dialect], None], ...], text: str, dialect: Dialect, times: int = RUNS
) -> list[float]:
    """Return the minimum CPU seconds of each of `runs`, run in turn, over `times`."""
    rounds = [[_seconds(run, text, dialect) for run in runs] for _ in range(times)]
    return [min(seconds) for seconds in zip(*rounds, strict=True)]


def _seconds(run: Callable[[str, Dialect], None], text: str, dialect: Dialect) -> float:
    start = time.process_time()
    run(text, dialect)
    return time.process_time() - start
