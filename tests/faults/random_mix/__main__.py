"""Run random mixes of faults: `python -m tests.faults.random_mix --engine rabbitmq --seeds 200`.

Exit 1 if a promise is broken; the seed, its faults and the records of its events are then printed, and
`--seed N` runs it again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TypeVar

from tests.conftest import built_in_policy
from tests.faults.random_mix.plan import Engine, draw_mix
from tests.faults.random_mix.runner import MixResult, Runner, running
from tests.support.engines import RabbitMQ, Valkey
from tests.support.running_dwgate import SAMPLES
from tests.support.source_queue import SourceQueue


def main() -> int:
    """Return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.random_mix", description=__doc__)
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.RABBITMQ)
    parser.add_argument("--source", choices=("http", "amqp"), default="http", help="amqp needs rabbitmq")
    parser.add_argument("--seeds", type=int, default=20, help="number of mixes")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--logs", type=Path, help="folder for the logs; default: a temporary one")
    chosen = parser.parse_args()
    seeds = range(chosen.first_seed, chosen.first_seed + chosen.seeds)
    with tempfile.TemporaryDirectory(prefix="dwgate-mix-") as temporary:
        directory = chosen.logs or Path(temporary)
        with (
            _started(Valkey, directory) as valkey,
            _started(RabbitMQ, directory) if chosen.engine is Engine.RABBITMQ else nullcontext() as rabbitmq,
            running(
                valkey, rabbitmq, directory, built_in_policy(), source=_source(chosen.source, rabbitmq)
            ) as runner,
        ):
            return _run(runner, chosen.engine, [chosen.seed] if chosen.seed is not None else list(seeds))


def _source(name: str, rabbitmq: RabbitMQ | None) -> SourceQueue | None:
    if name == "http":
        return None
    assert rabbitmq, "the source amqp needs --engine rabbitmq"
    source = SourceQueue(rabbitmq.fresh_url())
    source.declare()
    return source


EngineKind = TypeVar("EngineKind", Valkey, RabbitMQ)


@contextmanager
def _started(kind: type[EngineKind], directory: Path) -> Iterator[EngineKind]:
    folder = directory / kind.__name__.lower()
    folder.mkdir(parents=True, exist_ok=True)
    engine = kind(folder)
    try:
        engine.start()
        yield engine
    finally:
        engine.close()


def _run(runner: Runner, engine: Engine, seeds: list[int]) -> int:
    broken, events, incomplete = Counter[str](), 0, 0
    for seed in seeds:
        result = runner.run(draw_mix(seed, engine, sorted(SAMPLES)))
        _print(result)
        broken.update(item.promise for item in result.broken)
        events += len(result.observations)
        incomplete += sum(item.is_incomplete for item in result.observations)
    leaked = runner.leaked()
    _print_line(
        f"{engine}: {len(seeds)} mixes, {events} events; decided without all checks: {incomplete};"
        f" broken promises: {dict(broken) or 'none'}; secrets or code in logs: {len(leaked)}"
    )
    return int(bool(broken or leaked))


def _print(result: MixResult) -> None:
    _print_line(str(result))
    if result.broken:
        for line in (*result.mix.faults, *result.broken):
            _print_line(f"    {line}")


def _print_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
