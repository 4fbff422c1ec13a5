"""Stylesheet, script and icon: read once at start, and cached by browsers under an address of their own."""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).with_name("static")

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class StaticFiles:
    """The files of `static/`, in memory."""

    def __init__(self) -> None:
        self._files = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in _TYPES}

    def address(self, name: str) -> str:
        """Return the address of a file; it changes with the content.

        Raises:
            KeyError: there is no such file.
        """
        return f"/static/{name}?v={hashlib.sha256(self._files[name]).hexdigest()[:12]}"

    async def answer(self, request: Request) -> Response:
        """Answer a request for a file.

        Raises:
            HTTPException: there is no such file.
        """
        name = request.path_params["name"]
        if name not in self._files:
            raise HTTPException(404)
        return Response(
            self._files[name],
            media_type=_TYPES[Path(name).suffix],
            headers={"cache-control": "public, max-age=31536000, immutable"},
        )
