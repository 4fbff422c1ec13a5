"""The `dwgate` command: declares every command with its options; `console.commands` implements them."""
# ruff: noqa: PLC0415 - each command imports only what it needs: --help stays fast and a worker small

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from console import time_option
from console.commands import processes, waivers_cli

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_SINCE = typer.Option(
    parser=time_option.time_option,
    metavar="TIME",
    help="Received since: an age (7d, 2h, 30m) or an ISO date.",
)
Since = Annotated[float | None, _SINCE]
Project = Annotated[int | None, typer.Option(help="Only this workspace (its id).")]
Language = Annotated[
    str | None, typer.Option(metavar="LANGUAGE", help="en or zh; default: the policy's language, or en.")
]
PolicyFile = Annotated[
    Path | None,
    typer.Argument(envvar="DWGATE_POLICY_FILE", help="Policy file; default: the built-in policy."),
]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of rows.")]

_KEYS = "ALIBABA_CLOUD_"
_FILES = ("DWGATE_POLICY_FILE", "DWGATE_WAIVERS_FILE")

app = typer.Typer(
    help="dwgate checks DataWorks operations and posts a verdict on each before its deadline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
events = typer.Typer(help="Show stored events.", no_args_is_help=True)
policy = typer.Typer(help="Validate, test and show policies.", no_args_is_help=True)


def main() -> None:
    """Run the command line; report an expected error in one line and exit with its code."""
    try:
        _load_env_file()
        app()
    except Exception as error:  # noqa: BLE001 - `report_error` re-raises unexpected errors
        from console import errors

        sys.exit(errors.report_error(error))


def _load_env_file() -> None:
    """Export from `.env` what no settings model reads: the files of options, and the access keys."""
    if not Path(".env").is_file():
        return
    from dotenv import dotenv_values

    # Key id and secret must come from the same source: never mix the environment's with those of `.env`.
    keyed = any(name.startswith(_KEYS) for name in os.environ)
    for name, value in dotenv_values(".env").items():
        if value and (name in _FILES or (name.startswith(_KEYS) and not keyed)):
            os.environ.setdefault(name, value)


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folder with data and logs.")] = False,
) -> None:
    """Run dwgate on this machine and send a good and a bad sample of ten extension points."""
    from console.commands import demo as demo_

    raise typer.Exit(demo_.run(keep=keep))


@app.command()
def up(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of ingest; 0 for a free one.")] = 8080,
    flower_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of Flower; 0 for a free one.")
    ] = 5555,
    data: Annotated[
        Path | None, typer.Option(file_okay=False, help="Keep data and logs in this folder.")
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", envvar="DWGATE_POLICY_FILE", help="Policy file; default: the built-in policy."
        ),
    ] = None,
    waivers: Annotated[
        Path | None,
        typer.Option(metavar="FILE", envvar="DWGATE_WAIVERS_FILE", help="Waivers file; default: no waivers."),
    ] = None,
) -> None:
    """Run all of dwgate on this machine until Ctrl-C."""
    from console.commands import up as up_

    raise typer.Exit(
        up_.run(port=port, flower_port=flower_port, data=data, policy_file=policy, waivers_file=waivers)
    )


app.command()(processes.ingest)
app.command()(processes.worker)
app.command()(processes.flower)
app.command()(processes.emulator)
app.add_typer(events, name="events")


@events.command("list")
def events_list(
    state: Annotated[list[str] | None, typer.Option(help="Only this state; repeatable.")] = None,
    project: Project = None,
    since: Since = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """Show events, newest first."""
    from console.commands import events as events_

    if unknown := set(state or ()) - events_.STATES:
        raise typer.BadParameter(
            f"unknown state {unknown.pop()}; expected one of {', '.join(sorted(events_.STATES))}"
        )
    raise typer.Exit(
        events_.list_(states=state or [], project=project, since=since or 0, limit=limit, json=json)
    )


@events.command("show")
def events_show(message_id: Annotated[str, typer.Argument(metavar="ID")], json: Json = False) -> None:
    """Show one event: its verdict, checks, findings and timeline."""
    from console.commands import events as events_

    raise typer.Exit(events_.show(message_id, json=json))


@events.command("rejects")
def events_rejects(limit: Limit = 50, json: Json = False) -> None:
    """Show authentic messages that are not valid events."""
    from console.commands import events as events_

    raise typer.Exit(events_.rejects(limit=limit, json=json))


@app.command()
def requeue(
    *,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Message ids.")] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only dead events and events with a failed or timed-out check.")
    ] = False,
    since: Since = None,
    check: Annotated[str | None, typer.Option(help="Only events with this check.")] = None,
    event_code: Annotated[str | None, typer.Option(help="Only this extension point.")] = None,
    project: Project = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, change nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Run stored events again; never post a result that differs from an accepted one."""
    from console.commands import requeue as requeue_

    wanted = requeue_.RequeueFilter(tuple(ids or ()), failed, since, check, event_code, project)
    if bool(wanted.ids) == wanted.filtered:
        raise typer.BadParameter("expected event ids, or at least one filter, not both")
    raise typer.Exit(requeue_.run(wanted, dry_run=dry_run, json=json))


@app.command()
def replay(
    *,
    since: Annotated[float, _SINCE],
    policy: Annotated[Path, typer.Option(metavar="FILE", help="The policy to try.")],
    project: Project = None,
    check: Annotated[
        str | None, typer.Option(help="Only events with this check, in the past or under the policy.")
    ] = None,
    lookups: Annotated[
        bool, typer.Option("--lookups", help="Query DataWorks as it is today; uses its read quota.")
    ] = False,
    json: Json = False,
) -> None:
    """Evaluate past events under another policy and show what would change; read-only."""
    from console.commands import replay as replay_

    raise typer.Exit(replay_.run(replay_.ReplayFilter(since, policy, project, check, lookups), json=json))


@app.command()
def review(
    *,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files, folders, or - for standard input.")
    ],
    dialect: Annotated[
        str | None,
        typer.Option(
            help="Dialect of files, and of the SQL in folders; default: by file name, maxcompute for SQL."
        ),
    ] = None,
    metadata: Annotated[Path | None, typer.Option(metavar="FILE", help="Table metadata, as JSON.")] = None,
    project: Annotated[
        str | None, typer.Option(help="MaxCompute project of unqualified table names.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Use the options of this policy's code-review check.")
    ] = None,
    diff: Annotated[
        Path | None,
        typer.Option(metavar="OLD", help="Show only findings that this older file or folder does not have."),
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="text, json, sarif or github.")
    ] = "text",
    waivers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Apply the waivers of this file.")
    ] = None,
    language: Language = None,
) -> None:
    """Review node code; exit with 1 on a warning or a blocking finding."""
    # The imports create no garbage, and collecting takes an eighth of the time; `run` re-enables it.
    gc.disable()
    from console.commands import review as review_

    request = review_.ReviewRequest(dialect, metadata, project, policy, diff, format_, language, waivers)
    raise typer.Exit(review_.run(files, request))


@app.command()
def rules(
    *,
    rule: Annotated[str | None, typer.Argument(metavar="[ID]", help="A rule's id or name.")] = None,
    language: Language = None,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="text or json.")] = "text",
    write: Annotated[Path | None, typer.Option(file_okay=False, hidden=True)] = None,
) -> None:
    """List the review's rules, or show one rule's page."""
    from console.commands import rules as rules_

    raise typer.Exit(rules_.run(rule, language, format_, write))


app.add_typer(policy, name="policy")
app.add_typer(waivers_cli.app, name="waivers")


@policy.command("check")
def policy_check(
    file: PolicyFile = None,
) -> None:
    """Validate a policy; report every problem with its location."""
    from console.commands import policy as policy_

    raise typer.Exit(policy_.check(file))


@policy.command("test")
def policy_test(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Case files, and folders with case files.")
    ],
    file: Annotated[
        Path | None,
        typer.Option(
            "--policy", metavar="FILE", help="Policy of cases without one; default: the built-in policy."
        ),
    ] = None,
    waivers_file: Annotated[
        Path | None,
        typer.Option(
            "--waivers",
            metavar="FILE",
            envvar="DWGATE_WAIVERS_FILE",
            help="Waivers of cases without any; default: no waivers.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Run cases (event, DataWorks' responses, expected verdict); exit with 1 if one fails."""
    from console.commands import policy_test as policy_test_

    raise typer.Exit(policy_test_.run(paths, file, waivers_file, json=json))


@policy.command("schema")
def policy_schema() -> None:
    """Print the JSON schema of a policy file."""
    from console.commands import policy as policy_

    raise typer.Exit(policy_.schema())


@policy.command("options")
def policy_options(
    file: PolicyFile = None,
    check: Annotated[list[str] | None, typer.Option(help="Only this check; repeatable.")] = None,
) -> None:
    """Print the option form to paste into the DataWorks console."""
    from console.commands import policy as policy_

    raise typer.Exit(policy_.options(file, check or []))


@policy.command("show")
def policy_show(
    *,
    file: PolicyFile = None,
    project: Project = None,
    point: Annotated[list[str] | None, typer.Option(help="Only this extension point; repeatable.")] = None,
    type_: Annotated[
        str | None, typer.Option("--type", help="For nodes of this type: 10 or odps_sql.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="For a file or table with this name.")] = None,
    json: Json = False,
) -> None:
    """Show the effective policy of a workspace, and of a file."""
    from common.extension_points import BY_CODE
    from common.policy_subject import PolicySubject
    from console.commands import policy as policy_

    if unknown := set(point or ()) - BY_CODE.keys():
        raise typer.BadParameter(
            f"unknown extension point {unknown.pop()}; expected one of {', '.join(sorted(BY_CODE))}"
        )
    subject = PolicySubject(policy_.node_type(type_) if type_ else None, (name,) if name else ())
    raise typer.Exit(policy_.show(file, project, point or [], subject, json=json))


@app.command()
def send(
    *,
    url: Annotated[str, typer.Option(help="URL of ingest's /events, as set on the EventBridge target.")],
    token: Annotated[str, typer.Option(help="The token set on the EventBridge target.")],
    key: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Folder with the signing key.")],
    sample: Annotated[str | None, typer.Argument(help="A sample, such as freeze-node-bad.")] = None,
    event_code: Annotated[str | None, typer.Option(help="Extension point, instead of a sample.")] = None,
    data: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="JSON file with the event's body.")
    ] = None,
    account: Annotated[str, typer.Option(help="UID of the sending account.")] = "1023456789012345",
    emulator: Annotated[
        str | None,
        typer.Option(help="URL of the emulator that starts the operation and receives the verdict."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Number of new events.")] = 1,
    duplicate: Annotated[int, typer.Option(min=0, help="Repeated deliveries of each event.")] = 0,
) -> None:
    """Deliver events as EventBridge does, signed with your own key."""
    from console.commands import send as send_

    if (sample is None) == (event_code is None) or (sample and data):
        raise typer.BadParameter("expected a sample, or --event-code with --data")
    what = send_.operation(sample, event_code, data)
    target = send_.Target(url, token, account, key, emulator)
    raise typer.Exit(send_.run(what, target, count=count, duplicate=duplicate))


@app.command()
def doctor(json: Json = False) -> None:
    """Check settings, engines and DataWorks, and report the trade-offs of the settings."""
    from console.commands import doctor as doctor_

    raise typer.Exit(doctor_.run(json=json))


if __name__ == "__main__":
    main()
