"""The effective policy of a workspace, and the replay of another policy."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from common.config_files.errors import ConfigError
from common.extension_points import BY_CODE
from common.ledger import AuditAction, AuditEntry
from common.subjects.policy_subject import PolicySubject
from console.access.gate import Identity
from console.access.users import Role
from console.commands.policy.command import effective_options, node_type
from console.exit_codes import UsageError
from console.web.config_files import ConfigFiles
from console.web.errors import Problem, RequestRefused
from console.web.pages.console_page import ConsolePages, visible_projects, words_of
from console.web.replay_process import (
    MAX_POLICY_BYTES,
    REPLAY_SECONDS,
    ReplayBusy,
    ReplayRunner,
    ReplayTooSlow,
)
from console.web.texts.policy import POLICY
from console.web.views.event_filters import MAX_TEXT_LENGTH, parse_project
from console.web.views.policy_view import SettingRow, replay_view, setting_rows

DAYS = (1, 7, 30)
FIRST_POINT = "commit-file"
"""The extension point that is shown first."""

REFRESH_SECONDS = 2
"""After how many seconds the page of a running replay is loaded again."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is shown of the policy; texts as given."""

    project: int | None
    point: str
    type: str
    name: str


class PolicyPages:
    """The pages.

    Args:
        console: what the pages share.
        files: the policy.
    """

    def __init__(self, console: ConsolePages, files: ConfigFiles) -> None:
        self._console = console
        self._files = files
        self._runner = ReplayRunner()

    async def show(self, request: Request) -> Response:
        """Show the effective policy."""
        identity = await self._console.gate.require(request, Role.ADMINISTRATOR)
        wanted = _wanted(dict(request.query_params), identity)
        return await self._page(request, identity, wanted, {})

    async def replay(self, request: Request) -> Response:
        """Start the replay of the pasted policy: a page of its own shows the result."""
        identity, form = await self._console.gate.read_form(request, Role.ADMINISTRATOR)
        wanted = _wanted({name: str(value) for name, value in form.items()}, identity)
        text, days = str(form.get("policy", "")), _days(str(form.get("days", "")))
        if wanted.project is None and identity.user.workspaces is not None:
            raise RequestRefused(Problem.INVALID, "project: expected one of your workspaces")
        words = words_of(request, POLICY)
        values: dict[str, Any] = {"candidate": text, "days": days}
        if len(text.encode()) > MAX_POLICY_BYTES:
            values["problems"] = [words["too_large"]]
            return await self._page(request, identity, wanted, values, status=413)
        try:
            await anyio.to_thread.run_sync(self._files.parse_policy, text)
        except ConfigError as error:
            values["problems"] = str(error).splitlines()
            return await self._page(request, identity, wanted, values, status=422)
        entry = AuditEntry(
            identity.user.actor,
            AuditAction.POLICY_REPLAYED,
            hashlib.sha256(text.encode()).hexdigest()[:12],
            reason=f"{days} days, workspace {wanted.project or 'all'}",
        )
        try:
            job = self._runner.start(identity.user.name, text, days=days, project=wanted.project)
        except ReplayBusy:
            values["problems"] = [words["busy"]]
            return await self._page(request, identity, wanted, values, status=429)
        await self._console.reader.read(lambda ledger: ledger.audit_trail.record(entry))
        return RedirectResponse(f"/policy/replays/{job.id}", 303)

    async def show_replay(self, request: Request) -> Response:
        """Show the result of a replay; a browser loads the page again while it runs."""
        identity = await self._console.gate.require(request, Role.ADMINISTRATOR)
        job = self._runner.find(request.path_params["id"], identity.user.name)
        if job is None:
            raise RequestRefused(Problem.NOT_FOUND)
        words = words_of(request, POLICY)
        values: dict[str, Any] = {"candidate": job.policy, "days": job.days, "is_running": job.is_running}
        if isinstance(job.failure, ReplayTooSlow):
            values["problems"] = [words.fill("too_slow", n=round(REPLAY_SECONDS))]
        elif job.failure:
            values["problems"] = str(job.failure).splitlines()
        elif job.summary is not None:
            values["replay"] = replay_view(job.summary, words)
        response = await self._page(request, identity, _Wanted(job.project, FIRST_POINT, "", ""), values)
        if values["is_running"]:  # as the page says: the replay may have ended meanwhile
            response.headers["refresh"] = str(REFRESH_SECONDS)
        return response

    async def _page(
        self,
        request: Request,
        identity: Identity,
        wanted: _Wanted,
        values: dict[str, Any],
        *,
        status: int = 200,
    ) -> Response:
        refused: list[str] = []
        version = ""
        rows: list[SettingRow] = []
        try:
            version, rows = await anyio.to_thread.run_sync(self._rows, wanted)
        except ConfigError as error:
            refused = str(error).splitlines()
        shown: dict[str, Any] = {
            "candidate": "",
            "days": DAYS[1],
            "problems": [],
            "replay": None,
            "is_running": False,
            **values,
            "wanted": wanted,
            "points": sorted(BY_CODE),
            "periods": DAYS,
            "refused": refused,
            "version": version,
            "file": str(self._files.policy_file) if self._files.policy_file else "",
            "rows": rows,
        }
        return self._console.render(
            request, identity, "policy.html.j2", POLICY, shown, page="policy", status=status
        )

    def _rows(self, wanted: _Wanted) -> tuple[str, list[SettingRow]]:
        loaded = self._files.policy()
        about = PolicySubject(_type(wanted.type), (wanted.name,) if wanted.name else ())
        point = loaded.resolve(wanted.point, wanted.project, about)
        options = {check.name: effective_options(check) for check in point.checks}
        return loaded.version, setting_rows(point, options)


def _wanted(values: dict[str, str], identity: Identity) -> _Wanted:
    point = values.get("point", "") or FIRST_POINT
    if point not in BY_CODE:
        raise RequestRefused(Problem.INVALID, f"point: expected one of {', '.join(sorted(BY_CODE))}")
    project = parse_project("project", values.get("project", "").strip())
    visible_projects(identity, () if project is None else (project,))
    name = values.get("name", "").strip()
    if len(name) > MAX_TEXT_LENGTH:
        raise RequestRefused(Problem.INVALID, f"name: expected at most {MAX_TEXT_LENGTH} characters")
    type_ = values.get("type", "").strip()
    _type(type_)
    return _Wanted(project, point, type_, name)


def _type(text: str) -> int | None:
    try:
        return node_type(text) if text else None
    except UsageError as error:
        raise RequestRefused(Problem.INVALID, str(error).removeprefix("--")) from None


def _days(text: str) -> int:
    if text not in map(str, DAYS):
        raise RequestRefused(Problem.INVALID, f"days: expected one of {', '.join(map(str, DAYS))}")
    return int(text)
