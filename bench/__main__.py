"""Run every benchmark with short settings, one after another: `python -m bench`."""

from __future__ import annotations

import subprocess
import sys

RUNS = (
    ("bench.ingest", "--events", "6000", "--seconds", "5"),
    ("bench.slow_clients", "--seconds", "10"),
    ("bench.pipeline", "--events", "300", "--rates", "50", "--seconds", "10"),
    ("bench.ledger", "--events", "50"),
    ("bench.growth", "--sizes", "1000", "20000"),
    ("bench.start",),
    ("bench.idle", "--seconds", "20"),
    ("bench.trace", "--commits", "10"),
    ("bench.fleet", "--events", "300"),
    ("bench.impact",),
    ("bench.scale_out", "--workers", "1", "2", "--events", "10"),
    ("bench.lookups", "--events", "200", "--workers", "2"),
    ("bench.console", "--events", "10000", "--requests", "50", "--rounds", "2"),
    ("bench.tenants", "--seconds", "10", "--rounds", "1"),
)


def main() -> int:
    """Return 0 if every benchmark succeeded and met its target, if it has one."""
    failed = 0
    for module, *arguments in RUNS:
        print(f"\n{module} {' '.join(arguments)}", flush=True)
        failed += subprocess.run([sys.executable, "-m", module, *arguments], check=False).returncode != 0
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
