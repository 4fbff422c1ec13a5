"""Hostile policies, waivers, cases and metadata: `python -m tests.fuzz.hostile_files [--seed 1]`.

Every file is read, and used if it is valid, in a process of its own. It must end within 2 s of CPU time and
256 MB, either valid or with a `ConfigError` of a few lines that name the file. The first failures are kept.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from common.config_files.errors import MAX_REPORTED, ConfigError
from common.events import Event
from common.extension_points import BY_CODE
from common.snapshot import Snapshot, TableSnapshot
from common.subjects.event_subject import subject_of
from common.subjects.policy_subject import PolicySubject
from common.verdicts import Finding, Outcome, Severity
from review.tables.metadata import parse_tables
from tests.fuzz.hostile_yaml import GENERATORS, HostileFile, Kind
from workers.checks import registry
from workers.checks.api import Check
from workers.policy.policy import load_policy
from workers.policy_testing.cases import load_cases
from workers.waivers.loader import load_waivers
from workers.waivers.matching import apply_waivers
from workers.waivers.model import WaiverRules

MAX_SECONDS = 2.0
"""CPU time of one file."""

MAX_MEGABYTES = 256
"""Resident memory of the process, imports included."""

_MAX_LINE = 5000
_MAX_FAILURES = 20
_KILL_AFTER = 60
_LONG_NAME = "ads_" + "a" * 900


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading one file took.

    Attributes:
        fault: what went wrong; empty if nothing did.
        seconds: CPU time.
        megabytes: the largest resident memory.
    """

    fault: str
    seconds: float
    megabytes: float


def use(file: HostileFile, path: Path, checks: Mapping[str, Check]) -> None:
    """Read a file, and use what it contains.

    Raises:
        ConfigError: it is invalid.
    """
    if file.kind is Kind.POLICY:
        policy = load_policy(path, checks)
        for project in (None, 1, 93124):
            for code in BY_CODE:
                point = policy.resolve(code, project, PolicySubject(10, (_LONG_NAME,)))
                for check in point.checks:
                    if check.name in ("table-design", "release-window"):
                        _run(checks[check.name], check.options)
    elif file.kind is Kind.WAIVERS:
        waivers = load_waivers(path, WaiverRules(), time.time())
        event = Event("e", "commit-file", 93124, "1", True, {"fileId": 1, "fileName": _LONG_NAME}, 0)
        finding = Finding("MC-S01", Severity.BLOCK, "a" * 499 + "!")
        apply_waivers(Outcome.of([finding]), subject_of("code-review", event, None), waivers, time.time())
    elif file.kind is Kind.CASES:
        load_cases(path, checks)
    else:
        parse_tables(str(path), path.read_bytes())


def _run(check: Check, options: Mapping[str, object]) -> None:
    event = Event("e", "commit-table", 93124, "1", True, {"tableName": _LONG_NAME}, 0)
    table = TableSnapshot(_LONG_NAME, None, "", None)
    list(check.run(check.context(event, Snapshot(table=table), options, None, 0.0)))


def read(file: HostileFile, folder: Path, checks: Mapping[str, Check]) -> Reading:
    """Read one file in a process of its own."""
    path = folder / "hostile"
    path.write_bytes(file.content)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os._exit(_read_in_child(file, path, checks, writer))
    os.close(writer)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(_KILL_AFTER)
    with os.fdopen(reader, "rb") as said:
        fault = said.read().decode("utf-8", "replace")
    _, status, usage = os.wait4(child, 0)
    signal.alarm(0)
    seconds, megabytes = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    if os.waitstatus_to_exitcode(status) < 0:
        fault = f"killed by signal {-os.waitstatus_to_exitcode(status)}"
    return Reading(fault, seconds, megabytes)


def _read_in_child(file: HostileFile, path: Path, checks: Mapping[str, Check], writer: int) -> int:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    fault = ""
    try:
        use(file, path, checks)
    except ConfigError as error:
        fault = _wrong_text(str(error), str(path))
    except BaseException as error:  # noqa: BLE001 - every kind is what it looks for
        last = traceback.extract_tb(error.__traceback__)[-1]
        fault = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {str(error)[:200]}"
    os.write(writer, fault.encode("utf-8", "replace")[:4096])
    return 0


def _wrong_text(text: str, path: str) -> str:
    lines = text.split("\n")
    if len(lines) > MAX_REPORTED + 1:
        return f"{len(lines)} lines"
    for line in lines:
        if not line.startswith(path):
            return f"a line that does not name the file: {line[:200]!r}"
        if len(line) > _MAX_LINE:
            return f"a line of {len(line)} characters"
    return ""


def attack(
    files: int,
    seed: int,
    folder: Path,
    max_seconds: float,
    show: Callable[[str], None],
) -> int:
    """Read `files` generated files; return how many failed."""
    checks = registry.load_checks()
    rng = random.Random(seed)  # noqa: S311 - no secret
    slowest: list[tuple[float, str]] = []
    largest = 0.0
    kinds: Counter[str] = Counter()
    failures = 0
    for number in range(files):
        name, generate = GENERATORS[number % len(GENERATORS)]
        file = generate(rng)
        reading = read(file, folder, checks)
        kinds[file.kind.value] += 1
        slowest = sorted([*slowest, (reading.seconds, name)], reverse=True)[:5]
        largest = max(largest, reading.megabytes)
        fault = reading.fault
        if reading.seconds > max_seconds:
            fault = fault or f"{reading.seconds:.1f} s"
        if reading.megabytes > MAX_MEGABYTES:
            fault = fault or f"{reading.megabytes:.0f} MB"
        if fault:
            failures += 1
            kept = folder / f"{number}-{name}.{file.kind.value}"
            kept.write_bytes(file.content)
            show(f"{kept}: {fault}")
            if failures >= _MAX_FAILURES:
                break
    show(f"seed {seed}: {dict(kinds)}, {failures} failures, largest {largest:.0f} MB")
    show("slowest: " + ", ".join(f"{name} {seconds:.2f} s" for seconds, name in slowest))
    return failures


def main() -> int:
    """Return 0 if nothing failed."""
    parser = argparse.ArgumentParser(description="Read hostile configuration files.")
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--max-seconds", type=float, default=MAX_SECONDS)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hostile-files-"))

    def show(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    return int(bool(attack(chosen.files, chosen.seed, folder, chosen.max_seconds, show)))


if __name__ == "__main__":
    sys.exit(main())
