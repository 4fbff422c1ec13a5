"""`dwgate waivers`: the commands and their options; what they do is in `console.commands.waivers`."""
# ruff: noqa: PLC0415 - commands import what they need, so that --help is quick

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console import time_option

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
File = Annotated[
    Path,
    typer.Option("--waivers", metavar="FILE", envvar="DWGATE_WAIVERS_FILE", help="The waivers file."),
]
Policy = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="FILE",
        envvar="DWGATE_POLICY_FILE",
        help="The policy that says what is allowed; else the built-in one.",
    ),
]

app = typer.Typer(help="Let findings pass for a while, and see what that does.", no_args_is_help=True)


@app.command("list")
def list_(
    *,
    file: File,
    policy: Policy = None,
    expired: Annotated[bool, typer.Option("--expired", help="Those that have ended.")] = False,
    json: Json = False,
) -> None:
    """Show the waivers that are in force, the next to end first."""
    from console.commands import waivers

    raise typer.Exit(waivers.list_(file, policy, expired=expired, json=json))


@app.command()
def add(
    *,
    id_: Annotated[str, typer.Argument(metavar="ID", help="What it is called, such as W-12.")],
    reason: Annotated[str, typer.Option(help="Why it is all right for now.")],
    owner: Annotated[str, typer.Option(help="Who sees to it that it is no longer needed.")],
    approver: Annotated[str, typer.Option(help="Who allowed it.")],
    expires_at: Annotated[str, typer.Option(metavar="TIME", help="When it ends: 2026-12-01T18:00:00+08:00.")],
    file: File,
    policy: Policy = None,
    rule: Annotated[str | None, typer.Option(help="Rule of the findings; * and ? are wild.")] = None,
    check: Annotated[str | None, typer.Option(help="Check of the findings; * and ? are wild.")] = None,
    project: Annotated[list[int] | None, typer.Option(help="Only in this workspace; repeat it.")] = None,
    point: Annotated[list[str] | None, typer.Option(help="Only at this extension point; repeat it.")] = None,
    files: Annotated[list[str] | None, typer.Option("--file", help="Only of such files; repeat it.")] = None,
    node: Annotated[list[str] | None, typer.Option(help="Only of such nodes; repeat it.")] = None,
    table: Annotated[list[str] | None, typer.Option(help="Only of such tables; repeat it.")] = None,
    fingerprint: Annotated[str | None, typer.Option(help="Only this finding.")] = None,
    pattern: Annotated[str | None, typer.Option(help="Only messages that this expression finds.")] = None,
) -> None:
    """Write one more waiver into the file; the rest stays as it is, comments too."""
    from console.commands import waivers

    scope = {"projects": project, "points": point, "files": files, "nodes": node, "tables": table}
    item = {
        "id": id_,
        "rule": rule,
        "check": check,
        "scope": {key: value for key, value in scope.items() if value},
        "fingerprint": fingerprint,
        "pattern": pattern,
        "reason": reason,
        "owner": owner,
        "approver": approver,
        "expires_at": expires_at,
    }
    raise typer.Exit(waivers.add(file, policy, {key: value for key, value in item.items() if value}))


@app.command()
def expire(
    *,
    id_: Annotated[str, typer.Argument(metavar="ID")],
    file: File,
    policy: Policy = None,
) -> None:
    """End a waiver now; nothing else in the file changes."""
    from console.commands import waivers

    raise typer.Exit(waivers.expire(file, policy, id_))


@app.command()
def report(
    *,
    file: File,
    policy: Policy = None,
    since: Annotated[
        float | None,
        typer.Option(
            parser=time_option.time_option,
            metavar="TIME",
            help="Events since: 7d, 2h, 30m ago, or an ISO date.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show how often each waiver let something pass, which never did, and which end soon."""
    from console.commands import waivers

    raise typer.Exit(waivers.report(file, policy, since=since, json=json))
