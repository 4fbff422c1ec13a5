"""Runs `dwgate replay` in a process of its own: it has a time limit, and its memory is not the console's."""

from __future__ import annotations

import asyncio
import secrets
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from common.errors import DwgateError

REPLAY_SECONDS = 60.0
MAX_JOBS = 10
"""Results that are kept."""

MAX_POLICY_BYTES = 64 * 1024
MAX_OUTPUT_BYTES = 32 << 20
_MAX_ERROR_BYTES = 8192


class ReplayFailed(DwgateError):
    """A replay ended without a result; the text says why."""


class ReplayTooSlow(DwgateError):
    """A replay was stopped after `REPLAY_SECONDS`."""


class ReplayBusy(DwgateError):
    """Another replay is running: one at a time, so that replays cannot slow the fleet's machine down."""


@dataclass(slots=True)
class ReplayJob:
    """One replay. It ends with a summary or a failure.

    Attributes:
        id: names it in its address.
        owner: name of the user who started it; no one else sees it.
        policy: the text of the policy.
        days: how far back.
        project: only this workspace; None for all.
        summary: the JSON of `dwgate replay`; None without a result.
        failure: why there is no result; None while it runs, and with a result.
    """

    id: str
    owner: str
    policy: str
    days: int
    project: int | None
    summary: dict[str, Any] | None = None
    failure: DwgateError | None = None

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.summary is None and self.failure is None


class ReplayRunner:
    """Runs replays, one at a time, and keeps the last results in memory."""

    def __init__(self) -> None:
        self._jobs: dict[str, ReplayJob] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self, owner: str, policy: str, *, days: int, project: int | None) -> ReplayJob:
        """Start a replay; see `ReplayJob`.

        Raises:
            ReplayBusy: another one is running.
        """
        if self._task and not self._task.done():
            raise ReplayBusy("another replay is running")
        job = ReplayJob(secrets.token_urlsafe(12), owner, policy, days, project)
        self._jobs[job.id] = job
        while len(self._jobs) > MAX_JOBS:
            del self._jobs[next(iter(self._jobs))]
        self._task = asyncio.create_task(self._run(job))
        return job

    def find(self, id_: str, owner: str) -> ReplayJob | None:
        """Return a replay of a user; None if there is none, or its result is no longer kept."""
        job = self._jobs.get(id_)
        return job if job and job.owner == owner else None

    async def _run(self, job: ReplayJob) -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="dwgate-replay-") as folder:
                path = Path(folder) / "policy.yaml"
                path.write_text(job.policy, encoding="utf-8")
                arguments = ["replay", "--since", f"{job.days}d", "--policy", str(path), "--json"]
                if job.project is not None:
                    arguments += ["--project", str(job.project)]
                job.summary = orjson.loads(await self._output(arguments, str(path)))
        except (ReplayFailed, ReplayTooSlow) as error:
            job.failure = error
        except (OSError, ValueError) as error:
            job.failure = ReplayFailed(type(error).__name__)

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
