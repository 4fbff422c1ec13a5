"""The HTTP server of a worker."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from workers.process.health import Health
from workers.process.monitoring import metrics_server


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.2", "127.0.0.2"), ("::1", "[::1]")])
def test_the_server_listens_on_the_given_address(host: str, shown: str, tmp_path: Path) -> None:
    server = metrics_server.serve(host, 0, str(tmp_path), list, dict)
    try:
        url = f"http://{shown}:{server.server_port}/healthz"
        assert httpx.get(url, trust_env=False).text == "ok"
        with pytest.raises(httpx.ConnectError):
            httpx.get(url.replace(shown, "127.0.0.1"), trust_env=False)
    finally:
        server.shutdown()
        server.server_close()


def test_liveness_and_readiness_are_served_apart(tmp_path: Path) -> None:
    restarting = Health(("intake",), False, False, False, 0.0, 1.0)
    server = metrics_server.serve("127.0.0.1", 0, str(tmp_path), lambda: [restarting], dict)
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        alive, ready = (httpx.get(f"{url}/{name}", trust_env=False) for name in ("healthz", "readyz"))
        assert (alive.status_code, alive.text) == (200, "ok")
        assert (ready.status_code, ready.text) == (503, "intake down")
        assert httpx.get(f"{url}/other", trust_env=False).status_code == 404
    finally:
        server.shutdown()
        server.server_close()
