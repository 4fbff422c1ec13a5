"""Reviews code that is meant to be slow: `python -m bench.worst_cases`.

Every case of `tests/support/worst_cases.py`, at each length, is reviewed in a process of its own with the
linters of its language. Exit 1 if one takes longer or uses more memory than its limit.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass

from review.engine import NOT_REVIEWED, review
from tests.support.worst_cases import WorstCase, worst_cases

LIMIT_SECONDS = 10.0
LIMIT_MB = 512
_KILLED_AFTER = 6 * LIMIT_SECONDS
"""Seconds after which a case is ended, so that the rest can be measured."""
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Measurement:
    """One review.

    Attributes:
        seconds: from the call to its result.
        cpu: CPU seconds of the review and its linters.
        mb: peak memory of the reviewing process, with the interpreter and without the linters.
        findings: number of findings.
        unread: why it was not reviewed in full; empty if it was.
    """

    name: str
    length: int
    seconds: float
    cpu: float
    mb: float
    findings: int
    unread: str

    @property
    def is_within(self) -> bool:
        """Whether it kept both limits."""
        return self.seconds <= LIMIT_SECONDS and self.mb <= LIMIT_MB


def main() -> int:
    """Return 1 if a case broke a limit."""
    parser = argparse.ArgumentParser(prog="python -m bench.worst_cases", description=__doc__)
    parser.add_argument("--bytes", type=int, nargs="+", default=[131_072, 1_048_576])
    parser.add_argument("--only", default="", help="cases whose name contains this text")
    parser.add_argument("--sample", type=int, metavar="N", help="only N of them, evenly spaced")
    parser.add_argument("--list", action="store_true", help="print every case")
    chosen = parser.parse_args()
    cases = [case for case in worst_cases() if chosen.only in case.name]
    if chosen.sample:
        cases = cases[:: max(1, len(cases) // chosen.sample)]
    broken = 0
    for length in chosen.bytes:
        results = []
        for case in cases:
            results.append(_measured(case, length))
            if chosen.list or not results[-1].is_within:
                print(_line(results[-1]), flush=True)
        broken += _report(length, results)
    return int(broken > 0)


def _measured(case: WorstCase, length: int) -> Measurement:
    """Review a case in a child process."""
    reading, writing = os.pipe()
    begin = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(int(_KILLED_AFTER))
        try:
            with os.fdopen(writing, "w") as out:
                json.dump(asdict(_reviewed(case, length)), out)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    usage = os.wait4(child, 0)[2]
    if text:
        return Measurement(**json.loads(text))
    seconds = time.monotonic() - begin
    return Measurement(case.name, length, seconds, usage.ru_utime, usage.ru_maxrss / 1024, 0, "ended")


def _reviewed(case: WorstCase, length: int) -> Measurement:
    code = case.make(length)
    begin = time.monotonic()
    findings = review(code, case.dialect)
    seconds = time.monotonic() - begin
    own, tools = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    unread = Counter(finding.message for finding in findings if finding.rule == NOT_REVIEWED)
    return Measurement(
        case.name,
        len(code),
        seconds,
        own.ru_utime + own.ru_stime + tools.ru_utime + tools.ru_stime,
        own.ru_maxrss / 1024,
        len(findings),
        unread.most_common(1)[0][0][:80] if unread else "",
    )


def _report(length: int, results: list[Measurement]) -> int:
    """Print a summary, and return how many cases broke a limit."""
    broken = sum(not item.is_within for item in results)
    slowest = sorted(results, key=lambda item: -item.seconds)[:_SHOWN]
    largest = max(results, key=lambda item: item.mb)
    unread = sum(bool(item.unread) for item in results)
    print(
        f"\n{len(results)} cases of {length:,} characters; {unread} not reviewed in full;"
        f" {broken} over a limit"
    )
    print(f"limits: {LIMIT_SECONDS:g} s, {LIMIT_MB} MB; largest memory: {largest.mb:.0f} MB ({largest.name})")
    print("the slowest:")
    for item in slowest:
        print(f"  {_line(item)}")
    return broken


def _line(item: Measurement) -> str:
    mark = " " if item.is_within else "!"
    return (
        f"{mark} {item.seconds:6.2f} s, {item.cpu:6.2f} s CPU, {item.mb:4.0f} MB, {item.findings:5} findings"
        f"  {item.name}  {item.unread}"
    )


if __name__ == "__main__":
    sys.exit(main())
