"""`dwgate waivers`: the commands with their options; `console.commands.waivers` implements them."""
# ruff: noqa: PLC0415 - each command imports only what it needs: --help stays fast

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
        help="Policy with the limits on waivers; default: the built-in policy.",
    ),
]

app = typer.Typer(help="Waive findings for a limited time, and report their use.", no_args_is_help=True)


@app.command("list")
def list_(
    *,
    file: File,
    policy: Policy = None,
    expired: Annotated[bool, typer.Option("--expired", help="Show expired waivers instead.")] = False,
    json: Json = False,
) -> None:
    """Show active waivers, the next to expire first."""
    from console.commands import waivers

    raise typer.Exit(waivers.list_(file, policy, expired=expired, json=json))


@app.command()
def add(
    *,
    id_: Annotated[str, typer.Argument(metavar="ID", help="Id of the waiver, such as W-12.")],
    reason: Annotated[str, typer.Option(help="Why the finding is acceptable for now.")],
    owner: Annotated[str, typer.Option(help="Who is responsible for making it unnecessary.")],
    approver: Annotated[str, typer.Option(help="Who approved it.")],
    expires_at: Annotated[
        str, typer.Option(metavar="TIME", help="When it expires: 2026-12-01T18:00:00+08:00.")
    ],
    file: File,
    policy: Policy = None,
    rule: Annotated[str | None, typer.Option(help="Rule of the findings; * and ? are wildcards.")] = None,
    check: Annotated[str | None, typer.Option(help="Check of the findings; * and ? are wildcards.")] = None,
    project: Annotated[list[int] | None, typer.Option(help="Only in this workspace; repeatable.")] = None,
    point: Annotated[list[str] | None, typer.Option(help="Only at this extension point; repeatable.")] = None,
    files: Annotated[
        list[str] | None, typer.Option("--file", help="Only matching files; repeatable.")
    ] = None,
    node: Annotated[list[str] | None, typer.Option(help="Only matching nodes; repeatable.")] = None,
    table: Annotated[list[str] | None, typer.Option(help="Only matching tables; repeatable.")] = None,
    fingerprint: Annotated[str | None, typer.Option(help="Only this finding.")] = None,
    pattern: Annotated[
        str | None, typer.Option(help="Only messages that match this regular expression.")
    ] = None,
) -> None:
    """Append a waiver to the file; keep everything else, comments included."""
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
    """Expire a waiver now; change nothing else in the file."""
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
            help="Events since: an age (7d, 2h, 30m) or an ISO date.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show how often each waiver was used, which were never used, and which expire soon."""
    from console.commands import waivers

    raise typer.Exit(waivers.report(file, policy, since=since, json=json))
