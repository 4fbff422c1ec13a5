"""The HTTP server of a worker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from workers.process.health import Health
from workers.process.monitoring import metrics_server


@contextmanager
def serving(
    host: str, folder: Path, processes: Callable[[], list[Health]], pids: Callable[[], Mapping[str, int]]
) -> Iterator[ThreadingHTTPServer]:
    """Serve within the block."""
    server = metrics_server.listen(host, 0, str(folder), processes, pids)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.2", "127.0.0.2"), ("::1", "[::1]")])
def test_the_server_listens_on_the_given_address(host: str, shown: str, tmp_path: Path) -> None:
    with serving(host, tmp_path, list, dict) as server:
        url = f"http://{shown}:{server.server_port}/healthz"
        assert httpx.get(url, trust_env=False).text == "ok"
        with pytest.raises(httpx.ConnectError):
            httpx.get(url.replace(shown, "127.0.0.1"), trust_env=False)


def test_liveness_and_readiness_are_served_apart(tmp_path: Path) -> None:
    restarting = Health(("intake",), False, False, False, 0.0, 1.0)
    with serving("127.0.0.1", tmp_path, lambda: [restarting], dict) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        alive, ready = (httpx.get(f"{url}/{name}", trust_env=False) for name in ("healthz", "readyz"))
        assert (alive.status_code, alive.text) == (200, "ok")
        assert (ready.status_code, ready.text) == (503, "intake down")
        assert httpx.get(f"{url}/other", trust_env=False).status_code == 404
