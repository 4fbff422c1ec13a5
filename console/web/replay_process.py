"""Runs `dwgate replay` in a process of its own: it has a time limit, and its memory is not the console's."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from common.errors import DwgateError

REPLAY_SECONDS = 60.0
MAX_POLICY_BYTES = 64 * 1024
MAX_OUTPUT_BYTES = 32 << 20
_MAX_ERROR_BYTES = 8192


class ReplayFailed(DwgateError):
    """A replay ended without a result; the text says why."""


class ReplayTooSlow(DwgateError):
    """A replay was stopped after `REPLAY_SECONDS`."""


class ReplayBusy(DwgateError):
    """Another replay is running: one at a time, so that replays cannot slow the fleet's machine down."""


class ReplayRunner:
    """Runs replays, one at a time."""

    def __init__(self) -> None:
        self._is_busy = False

    async def run(self, policy: str, *, days: int, project: int | None) -> dict[str, Any]:
        """Return the JSON of `dwgate replay` for a policy.

        Args:
            policy: its text.
            days: how far back.
            project: only this workspace; None for all.

        Raises:
            ReplayBusy, ReplayTooSlow, ReplayFailed: there is no result.
        """
        if self._is_busy:
            raise ReplayBusy("another replay is running")
        self._is_busy = True
        try:
            with tempfile.TemporaryDirectory(prefix="dwgate-replay-") as folder:
                path = Path(folder) / "policy.yaml"
                path.write_text(policy, encoding="utf-8")
                arguments = ["replay", "--since", f"{days}d", "--policy", str(path), "--json"]
                if project is not None:
                    arguments += ["--project", str(project)]
                output = await self._output(arguments, str(path))
        finally:
            self._is_busy = False
        summary: dict[str, Any] = orjson.loads(output)
        return summary

    async def _output(self, arguments: list[str], path: str) -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "console.main",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=MAX_OUTPUT_BYTES,
        )
        try:
            async with asyncio.timeout(REPLAY_SECONDS):
                output, errors = await process.communicate()
        except TimeoutError:
            raise ReplayTooSlow("the replay took too long") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            text = errors[:_MAX_ERROR_BYTES].decode(errors="replace").replace(path, "policy").strip()
            raise ReplayFailed(text.removeprefix("dwgate: ") or f"exit code {process.returncode}")
        return output
