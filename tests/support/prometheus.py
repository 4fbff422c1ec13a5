"""A real Prometheus that evaluates dwgate's alert rules on processes of a test, with shorter times."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support import plain_yaml
from tests.support.engines import free_port
from tests.support.observability import ALERTS
from tests.support.running_dwgate import wait_for

RANGE = "[15s]"
PENDING = "2s"


@dataclass
class Prometheus:
    """A running Prometheus at `url`."""

    url: str
    http: httpx.Client

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire."""
        reply = self.http.get(f"{self.url}/api/v1/alerts").json()
        return {item["labels"]["alertname"] for item in reply["data"]["alerts"] if item["state"] == "firing"}

    def value(self, expression: str) -> float | None:
        """Return the value of an expression with one series; None if it has none."""
        reply = self.http.get(f"{self.url}/api/v1/query", params={"query": expression}).json()
        result = reply["data"]["result"]
        return float(result[0]["value"][1]) if result else None


@contextmanager
def prometheus(folder: Path, targets: Sequence[str]) -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes `targets` (host:port) every second."""
    port = free_port()
    (folder / "alerts.yml").write_text(plain_yaml.dump(_shorten(plain_yaml.load(ALERTS.read_text()))))
    job = {"job_name": "dwgate", "static_configs": [{"targets": [*targets]}]}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["alerts.yml"],
        "scrape_configs": [job],
    }
    (folder / "prometheus.yml").write_text(plain_yaml.dump(config))
    command = ["prometheus", f"--config.file={folder / 'prometheus.yml'}"]
    command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"]
    with (
        (folder / "prometheus.log").open("wb") as log,
        httpx.Client(trust_env=False, timeout=10) as http,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process,
    ):
        running = Prometheus(f"http://127.0.0.1:{port}", http)
        try:
            wait_for(lambda: _is_ready(running), 30)
            yield running
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def _is_ready(running: Prometheus) -> bool:
    try:
        return running.http.get(f"{running.url}/-/ready").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _shorten(rules: dict[str, Any]) -> dict[str, Any]:
    """Return the rules with ranges and times of seconds instead of minutes; conditions stay."""
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule["expr"] = re.sub(r"\[\d+[mh]\]", RANGE, rule["expr"]).replace("> 300", "> 12")
            if "for" in rule:
                rule["for"] = PENDING
    return rules
