"""Flower as a process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.engines import free_port
from tests.support.running_dwgate import wait_for

USER, PASSWORD = "watcher", "password-of-the-watcher-1"
ROOT = Path(__file__).parents[2]
START_SECONDS = 40.0


@dataclass
class Flower:
    """A running Flower, with the URL of its API."""

    url: str

    def get(self, path: str) -> httpx.Response:
        """Return the response to a request of the user."""
        return httpx.get(self.url + path, auth=(USER, PASSWORD), trust_env=False, timeout=20)


@contextmanager
def running_flower(settings: Mapping[str, str], folder: Path) -> Iterator[Flower]:
    """Run Flower with these environment variables until the end of the block.

    Args:
        settings: without the users of Flower, and the file of its state.
        folder: of that file and its log.
    """
    port, log = free_port(), folder / "flower.log"
    environment = {
        **settings,
        "PYTHONPATH": str(ROOT),  # the tree under test, if another one is installed
        "DWGATE_FLOWER_USERS": f"{USER}:{PASSWORD}",
        "DWGATE_FLOWER_DB": str(folder / "flower.db"),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "console.main", "flower", f"--port={port}"],
            env=environment,
            cwd=folder,
            stdout=output,
            stderr=output,
        )
    flower = Flower(f"http://127.0.0.1:{port}")

    def is_up() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return flower.get("/healthcheck").is_success
        except httpx.TransportError:
            return False

    try:
        wait_for(is_up, START_SECONDS)
        yield flower
    finally:
        process.kill()
        process.wait()
