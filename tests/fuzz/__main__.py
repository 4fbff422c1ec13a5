"""Fuzz every target for a given time: `python -m tests.fuzz [TARGET]... [--seconds 600] [--seed 1]`.

Inputs are mutations of the corpus, and compositions. An input that fails, or takes longer than `MAX_SECONDS`,
is saved to the corpus; one that ends the process is in the file that is named when the run starts.
"""

from __future__ import annotations

import argparse
import faulthandler
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tests.fuzz.corpus import failure_file, save_failure, seeds_of
from tests.fuzz.inputs import new_input
from tests.fuzz.targets import TARGETS

MAX_SECONDS = 15
"""Seconds that an input may take."""

MAX_FAILURES = 20


def fuzz(
    targets: Sequence[str], seconds: float, seed: int, current: Path
) -> tuple[Counter[str], Counter[Path]]:
    """Run the targets in turn for `seconds`; return the number of inputs by target, and of failures by file.

    Args:
        targets: names of targets.
        seconds: total time.
        seed: of the random numbers.
        current: file to which each input is written before it is run.
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    seeds = {target: seeds_of(target) for target in targets}
    until = time.monotonic() + seconds
    counts: Counter[str] = Counter()
    failures: Counter[Path] = Counter()
    while time.monotonic() < until and len(failures) < MAX_FAILURES:
        target = targets[counts.total() % len(targets)]
        data = new_input(rng, target, seeds[target])
        counts[target] += 1
        current.write_bytes(data)
        try:
            with _alarm():
                TARGETS[target](data)
        except Exception as error:  # noqa: BLE001 - any exception is a failure
            file = failure_file(target, error)
            failures[file] += 1
            if failures[file] == 1:  # later ones would overwrite it
                save_failure(target, data, error)
                _print_line(f"{target}: {type(error).__name__}: {str(error)[:120]}\n  {file}")
    return counts, failures


@contextmanager
def _alarm() -> Iterator[None]:
    """Raise TimeoutError within the block after MAX_SECONDS; end the process if that has no effect."""

    def ring(_number: int, frame: FrameType | None) -> None:
        place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else "an unknown place"
        raise TimeoutError(f"still running in {place}")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, MAX_SECONDS)
    # A regular expression does not return to Python, so no signal handler runs.
    faulthandler.dump_traceback_later(2 * MAX_SECONDS, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _print_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Return 0 if nothing failed."""
    parser = argparse.ArgumentParser(description="Fuzz the readers of untrusted input.")
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], metavar="TARGET", help="default: all")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    chosen = parser.parse_args()
    current = Path(tempfile.mkdtemp(prefix="fuzz-")) / "current"
    _print_line(f"seed {chosen.seed}; the input that is run is in {current}")
    counts, failures = fuzz(chosen.targets or list(TARGETS), chosen.seconds, chosen.seed, current)
    for target, count in counts.items():
        _print_line(f"{target}: {count} inputs")
    _print_line(f"{counts.total()} inputs, {failures.total()} failures in {len(failures)} places")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
