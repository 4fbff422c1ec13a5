"""Requests to a web application without a server, as a browser makes them: it keeps cookies."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

import httpx
from starlette.types import ASGIApp


class PageReader:
    """Requests to one application; its event loop ends with the block."""

    def __init__(self, app: ASGIApp) -> None:
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://console.test")

    def __enter__(self) -> PageReader:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Return the response to GET."""
        return self._runner.run(self._client.get(path, **options))

    def post(self, path: str, **options: Any) -> httpx.Response:
        """Return the response to POST."""
        return self._runner.run(self._client.post(path, **options))
