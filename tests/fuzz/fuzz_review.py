"""Fuzz the review: `python -m tests.fuzz.fuzz_review --seconds 600 [--seed 1]`.

Every input is a mutation of a labelled node or a soup of words, read as a random language. Reader and rules
must not raise, must end in time, and must point into the text. The first failures are written to files.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from review.context import NodeContext, ReviewContext, TableMetadata
from review.dialects import Dialect
from review.facts import Script
from review.rules.api import Hit, RuleContext
from review.rules.registry import RULES
from review.script_reader import read_script
from review.tables.catalog import TableCatalog
from tests.fuzz.mutations import anything

LIMIT = 10.0
"""Seconds that a review may take."""

DIALECTS = tuple(Dialect)
_LIKELY = (Dialect.MAXCOMPUTE,) * 12
_MAX_FAILURES = 20
_TABLES = {
    "dim_shop": TableMetadata(columns={"shop_id": "BIGINT", "shop_name": "STRING"}),
    "dwd_trd_order_di": TableMetadata({"ds": "STRING"}, {"order_id": "BIGINT", "user_id": "BIGINT"}),
}
CONTEXTS = (
    ReviewContext(),
    ReviewContext(project="shop_dw", tables=_TABLES),
    ReviewContext(
        NodeContext(
            "ads_x", production=True, parameters=frozenset({"bizdate"}), inputs=("p.a",), outputs=("p.b",)
        )
    ),
)


def read_and_check(
    code: str, dialect: Dialect, given: ReviewContext
) -> tuple[Script, tuple[tuple[str, Hit], ...]]:
    """Return the facts of `code` and what every rule says; what a rule raises comes through."""
    script = read_script(code, dialect, given, None, time.monotonic() + LIMIT)
    subject = RuleContext(script, TableCatalog(script))
    return script, tuple((rule.id, hit) for rule in RULES for hit in rule.hits(subject))


def check(code: str, dialect: Dialect, given: ReviewContext) -> None:
    """Raise when reading or judging `code` does, is too slow, or points outside of it."""
    started = time.monotonic()
    script, hits = read_and_check(code, dialect, given)
    took = time.monotonic() - started
    places = [(statement.verb, statement.at) for statement in script.statements]
    for name, at in (*places, *((rule, hit.at) for rule, hit in hits)):
        if not 0 <= at.begin <= at.end <= len(code):
            raise AssertionError(f"{name} points to {at} in a text of {len(code)} characters")
    if took > LIMIT + 1:
        raise AssertionError(f"took {took:.1f} s")


def fuzz(seconds: float, seed: int, folder: Path) -> tuple[int, tuple[Path, ...]]:
    """Check random inputs for `seconds`; return how many, and the files with those that failed."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    until, done = time.monotonic() + seconds, 0
    failures: dict[str, Path] = {}
    while time.monotonic() < until and len(failures) < _MAX_FAILURES:
        code, dialect, given = anything(rng), rng.choice(_LIKELY + DIALECTS), rng.choice(CONTEXTS)
        done += 1
        try:
            with _alarm(LIMIT + 5):
                check(code, dialect, given)
        except Exception as error:  # noqa: BLE001 - every kind is what it looks for
            where = _where(error)
            if where not in failures:
                failures[where] = folder / f"{len(failures)}.{dialect}"
                failures[where].write_text(code, errors="surrogatepass")
                _print_line(f"{failures[where]}: {where}")
    return done, tuple(failures.values())


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise TimeoutError within when it takes longer than `seconds`: an endless loop must not end the run."""

    def ring(_number: int, frame: FrameType | None) -> None:
        place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else "an unknown place"
        raise TimeoutError(f"still running in {place}")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _print_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _where(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {str(error)[:120]}"


def main() -> int:
    """Return 0 when nothing failed."""
    parser = argparse.ArgumentParser(description="Fuzz the review.")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fuzz-review-"))
    done, failures = fuzz(chosen.seconds, chosen.seed, folder)
    _print_line(f"seed {chosen.seed}: {done} inputs, {len(failures)} failures")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
