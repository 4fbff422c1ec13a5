"""The series of a worker's metrics exist before anything is counted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from common.extension_points import BY_CODE
from common.processes.version import running_version
from review.rules.registry import BY_ID
from workers import metrics
from workers.checks import registry
from workers.process.monitoring.metrics_server import render

CREATE = "from workers.process.monitoring.metric_series import create_series; create_series()"


def test_every_counter_and_histogram_has_its_series_and_of_the_gauges_only_the_version(
    tmp_path: Path,
) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", CREATE], env=environment, check=True, timeout=60)

    families = text_string_to_metric_families(render(str(tmp_path), dict).decode())
    samples = [sample for family in families for sample in family.samples]
    names = {sample.name for sample in samples}
    declared = [metric for metric in vars(metrics).values() if isinstance(metric, Counter | Histogram)]
    gauges = [metric for metric in vars(metrics).values() if isinstance(metric, Gauge)]
    [build] = [sample for sample in samples if sample.name == metrics.BUILD._name]
    samples.remove(build)
    names.remove(build.name)
    assert (build.labels, build.value) == ({"version": running_version()}, 1)
    assert names >= {f"{metric._name}_total" for metric in declared if isinstance(metric, Counter)}
    assert names >= {f"{metric._name}_bucket" for metric in declared if isinstance(metric, Histogram)}
    assert not names & {metric._name for metric in gauges}, "0 would be wrong for what was never measured"
    assert {sample.value for sample in samples} == {0.0}

    def labels(name: str, label: str) -> set[str]:
        return {sample.labels[label] for sample in samples if sample.name == name}

    assert labels("dwgate_dead_total", "event_code") == set(BY_CODE)
    assert labels("dwgate_check_seconds_count", "check") >= set(registry.load_checks())
    assert labels("dwgate_findings_total", "rule") >= set(BY_ID)
    assert len(samples) < 5_000, "each worker is scraped every few seconds"
