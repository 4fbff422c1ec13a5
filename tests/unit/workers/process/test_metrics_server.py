"""The address of a worker's metrics."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from workers.process import supervisor


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.2", "127.0.0.2"), ("::1", "[::1]")])
def test_the_server_listens_on_the_given_address(host: str, shown: str, tmp_path: Path) -> None:
    server = supervisor._serve(host, 0, str(tmp_path), [])
    try:
        url = f"http://{shown}:{server.server_port}/healthz"
        assert httpx.get(url, trust_env=False).text == "ok"
        with pytest.raises(httpx.ConnectError):
            httpx.get(url.replace(shown, "127.0.0.1"), trust_env=False)
    finally:
        server.shutdown()
        server.server_close()
