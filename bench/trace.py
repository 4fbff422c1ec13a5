"""Show the trace of one commit as text, and what tracing costs.

    python -m bench.trace [--commits 20]

Ingest, a worker, the emulator and the engines run as real processes, and export to a receiver of this
process. Of the commits the one is shown whose duration is the median. Then the calls that one event makes
are timed in this process, with tracing disabled and with every event traced, the export included.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from pathlib import Path

import orjson

from bench.engines import engines
from common import tracing
from tests.support.otlp_receiver import OtlpReceiver, ReceivedSpan, covered_share, receiving
from tests.support.running_dwgate import TARGET, TOKEN, RunningDwgate, fleet, wait_for

SAMPLE = "commit-file-bad"
POST = "UpdateIDEEventResult"
"""The call in which DataWorks gets the verdict."""

WARM_UP = 5
WIDTH = 44
"""Characters of the longest bar."""

SPANS = 25
"""Spans of an event, about as many as of a commit."""

ROUNDS = 80
"""As many events as the SDK keeps in its queue at a time."""

DELAY_MS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--commits", type=int, default=20, help="number of commits")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder, receiving() as receiver:
        directory = Path(folder)
        settings = {
            "DWGATE_TRACE_RATIO": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_BSP_SCHEDULE_DELAY": str(DELAY_MS),
        }
        logs = directory / "logs"
        logs.mkdir()
        with engines(directory) as (broker, redis), fleet(broker, redis, logs, settings=settings) as gate:
            commits = [commit(gate, receiver) for _ in range(WARM_UP + options.commits)][WARM_UP:]
        commits.sort(key=lambda one: one[0])
        shares = [share for _, share, _ in commits]
        seconds, share, spans = commits[len(commits) // 2]
        print("\n".join(waterfall(spans)))
        print(f"\n{seconds * 1000:.0f} ms from the POST to the verdict, {share:.1%} of it in spans;")
        print(f"of {len(commits)} commits: median {statistics.median(shares):.1%}, lowest {min(shares):.1%}")
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.url
        # The receiver works in this process.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            disabled, traced = (pool.apply(microseconds_per_event, (ratio,)) for ratio in (0, 1))
    print(
        f"CPU of the calls of one event ({SPANS} spans): {disabled:.0f} µs disabled, {traced:.0f} µs traced"
    )


def commit(gate: RunningDwgate, receiver: OtlpReceiver) -> tuple[float, float, list[ReceivedSpan]]:
    """Send a commit; return its seconds, the share of them that its spans cover, and the spans."""
    message_id, event, sample = gate.sample(SAMPLE)
    gate.start_process(message_id, sample)
    body = orjson.dumps(event)
    headers = gate.signer.sign(TARGET, body, time.time(), TOKEN)
    started_at = time.time()
    gate.post_raw(body, headers)
    ended_at = gate.verdict(message_id)["at"]
    wanted = {"POST /events", "intake", "checks", "report"}
    wait_for(lambda: wanted <= {span.name for span in receiver.trace_of(message_id)})
    time.sleep(2 * DELAY_MS / 1000)
    spans = receiver.trace_of(message_id)
    seconds = ended_at - started_at
    return seconds, covered_share(spans, POST, seconds), spans


def waterfall(spans: list[ReceivedSpan]) -> list[str]:
    """Return one line for each span, in the order of start, indented below its parent."""
    begin, end = min(span.start for span in spans), max(span.end for span in spans)
    depths: dict[str, int] = {}
    lines = [f"{'start':>8} {'ms':>7}  {'process':9} span"]
    for span in spans:
        depths[span.span_id] = depth = depths[span.parent_id] + 1 if span.parent_id in depths else 0
        left = round((span.start - begin) / (end - begin) * WIDTH)
        bar = " " * left + "█" * max(round((span.end - span.start) / (end - begin) * WIDTH), 1)
        name = "  " * depth + span.name
        process = span.service.removeprefix("dwgate-")
        lines.append(
            f"{(span.start - begin) * 1000:8.1f} {(span.end - span.start) * 1000:7.1f}  "
            f"{process:9} {name:38} {bar}"
        )
    return lines


def microseconds_per_event(ratio: float) -> float:
    """Return the CPU time of the calls of one event, the export included."""
    tracing.configure(ratio, "bench")
    began = time.process_time()
    for _ in range(ROUNDS):
        with tracing.start_trace("POST /events", "server", message_id="id", event_code="commit-file"):
            for _ in range(SPANS - 1):
                with tracing.span("check", check="code-review") as span:
                    span.set(outcome="passed")
    tracing.shut_down()
    return (time.process_time() - began) / ROUNDS * 1_000_000


if __name__ == "__main__":
    main()
