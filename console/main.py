"""The `dwgate` command: every command with its options; what it does is in the module of its topic."""
# ruff: noqa: PLC0415 - commands import what they need, so that --help is quick and a worker stays small

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
    parser=time_option.time_option, metavar="TIME", help="Received since: 7d, 2h, 30m ago, or an ISO date."
)
Since = Annotated[float | None, _SINCE]
Project = Annotated[int | None, typer.Option(help="Of this workspace (its id).")]
Language = Annotated[str | None, typer.Option(metavar="LANGUAGE", help="en or zh; else the policy's, or en.")]
PolicyFile = Annotated[
    Path | None,
    typer.Argument(envvar="DWGATE_POLICY_FILE", help="A policy file; else the built-in policy."),
]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most.")]

_KEYS = "ALIBABA_CLOUD_"
_FILES = ("DWGATE_POLICY_FILE", "DWGATE_WAIVERS_FILE")

app = typer.Typer(
    help="dwgate checks DataWorks operations and answers each before its deadline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
events = typer.Typer(help="Show what is known of events.", no_args_is_help=True)
policy = typer.Typer(help="Look at policies.", no_args_is_help=True)


def main() -> None:
    """Run the command line; a fault that must be expected ends it with one line and an exit code."""
    try:
        _load_env_file()
        app()
    except Exception as error:  # noqa: BLE001 - `tell` raises again what nobody expects
        from console import errors

        sys.exit(errors.report_error(error))


def _load_env_file() -> None:
    """Let `.env` hold what is no setting of a worker, too: files that options name, the account's keys."""
    if not Path(".env").is_file():
        return
    from dotenv import dotenv_values

    # An access key is of one place: the environment's own is not mixed with another.
    keyed = any(name.startswith(_KEYS) for name in os.environ)
    for name, value in dotenv_values(".env").items():
        if value and (name in _FILES or (name.startswith(_KEYS) and not keyed)):
            os.environ.setdefault(name, value)


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the folder with data and logs.")] = False,
) -> None:
    """Run everything here once: a good and a bad sample of each of ten extension points."""
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
        typer.Option(metavar="FILE", envvar="DWGATE_POLICY_FILE", help="A policy; else the built-in one."),
    ] = None,
    waivers: Annotated[
        Path | None,
        typer.Option(metavar="FILE", envvar="DWGATE_WAIVERS_FILE", help="A waivers file; else none."),
    ] = None,
) -> None:
    """Run everything here until Ctrl-C."""
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
    state: Annotated[list[str] | None, typer.Option(help="In this state; repeat it for several.")] = None,
    project: Project = None,
    since: Since = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """Show events, newest first."""
    from console.commands import events as events_

    if unknown := set(state or ()) - events_.STATES:
        raise typer.BadParameter(
            f"no state {unknown.pop()}; expected one of {', '.join(sorted(events_.STATES))}"
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
    """Show authentic messages that could not be read as events."""
    from console.commands import events as events_

    raise typer.Exit(events_.rejects(limit=limit, json=json))


@app.command()
def requeue(
    *,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Message ids.")] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Dead, or with a check that could not be run.")
    ] = False,
    since: Since = None,
    check: Annotated[str | None, typer.Option(help="With this check.")] = None,
    event_code: Annotated[str | None, typer.Option(help="Of this extension point.")] = None,
    project: Project = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, do nothing.")] = False,
    json: Json = False,
) -> None:
    """Run stored events again; never post a different result where one was taken."""
    from console.commands import requeue as requeue_

    wanted = requeue_.RequeueFilter(tuple(ids or ()), failed, since, check, event_code, project)
    if bool(wanted.ids) == wanted.filtered:
        raise typer.BadParameter("name events, or at least one filter, not both")
    raise typer.Exit(requeue_.run(wanted, dry_run=dry_run, json=json))


@app.command()
def replay(
    *,
    since: Annotated[float, _SINCE],
    policy: Annotated[Path, typer.Option(metavar="FILE", help="The policy that is tried.")],
    project: Project = None,
    check: Annotated[str | None, typer.Option(help="With this check, then or under the policy.")] = None,
    lookups: Annotated[
        bool, typer.Option("--lookups", help="Ask DataWorks again, as it is today; takes its read quota.")
    ] = False,
    json: Json = False,
) -> None:
    """Judge events of the past under another policy and show what would change; post and write nothing."""
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
        typer.Option(help="The language of files and of SQL in folders; else by name, SQL as maxcompute."),
    ] = None,
    metadata: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What is known of tables, as JSON.")
    ] = None,
    project: Annotated[
        str | None, typer.Option(help="The MaxCompute project of tables that are named without one.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judge as the code-review check of this policy does.")
    ] = None,
    diff: Annotated[
        Path | None,
        typer.Option(metavar="OLD", help="Show only what is new against this older file or folder."),
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="text, json, sarif or github.")
    ] = "text",
    waivers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Let pass what the waivers of this file do.")
    ] = None,
    language: Language = None,
) -> None:
    """Review node code; end with 1 when there is a warning or a block."""
    # What is loaded stays: looking for garbage in it would take an eighth of the time. `run` goes on looking.
    gc.disable()
    from console.commands import review as review_

    asked = review_.ReviewRequest(dialect, metadata, project, policy, diff, format_, language, waivers)
    raise typer.Exit(review_.run(files, asked))


@app.command()
def rules(
    *,
    rule: Annotated[str | None, typer.Argument(metavar="[ID]", help="A rule's id or name.")] = None,
    language: Language = None,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="text or json.")] = "text",
    write: Annotated[Path | None, typer.Option(file_okay=False, hidden=True)] = None,
) -> None:
    """List the rules of the review, or show the page of one."""
    from console.commands import rules as rules_

    raise typer.Exit(rules_.run(rule, language, format_, write))


app.add_typer(policy, name="policy")
app.add_typer(waivers_cli.app, name="waivers")


@policy.command("check")
def policy_check(
    file: PolicyFile = None,
) -> None:
    """Say whether a policy is good, or where it is not."""
    from console.commands import policy as policy_

    raise typer.Exit(policy_.check(file))


@policy.command("test")
def policy_test(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Case files, and folders of them.")],
    file: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help="For cases that bring none; else the built-in policy."),
    ] = None,
    waivers_file: Annotated[
        Path | None,
        typer.Option(
            "--waivers",
            metavar="FILE",
            envvar="DWGATE_WAIVERS_FILE",
            help="Waivers for cases that bring none; else no waivers.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Run cases (event, what DataWorks would tell, verdict expected); end with 1 when one comes otherwise."""
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
    check: Annotated[list[str] | None, typer.Option(help="Of this check; repeat it for several.")] = None,
) -> None:
    """Print the option form to paste into the DataWorks console."""
    from console.commands import policy as policy_

    raise typer.Exit(policy_.options(file, check or []))


@policy.command("show")
def policy_show(
    *,
    file: PolicyFile = None,
    project: Project = None,
    point: Annotated[list[str] | None, typer.Option(help="Of this extension point; repeat it.")] = None,
    type_: Annotated[
        str | None, typer.Option("--type", help="For nodes of this type: 10, or odps_sql.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="For a file or table of this name.")] = None,
    json: Json = False,
) -> None:
    """Show what a policy comes to in a workspace, and for a file."""
    from common.extension_points import BY_CODE
    from common.policy_subject import PolicySubject
    from console.commands import policy as policy_

    if unknown := set(point or ()) - BY_CODE.keys():
        raise typer.BadParameter(
            f"no extension point {unknown.pop()}; expected one of {', '.join(sorted(BY_CODE))}"
        )
    about = PolicySubject(policy_.node_type(type_) if type_ else None, (name,) if name else ())
    raise typer.Exit(policy_.show(file, project, point or [], about, json=json))


@app.command()
def send(
    *,
    url: Annotated[str, typer.Option(help="Where to: ingest's /events, as set on the EventBridge target.")],
    token: Annotated[str, typer.Option(help="The token set on the EventBridge target.")],
    key: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Folder with the signer's key.")],
    sample: Annotated[str | None, typer.Argument(help="A sample, such as freeze-node-bad.")] = None,
    event_code: Annotated[str | None, typer.Option(help="The extension point, instead of a sample.")] = None,
    data: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The event's body, a JSON file.")
    ] = None,
    account: Annotated[str, typer.Option(help="UID of the account it comes from.")] = "1023456789012345",
    emulator: Annotated[
        str | None, typer.Option(help="The emulator at which the operation begins and gets its verdict.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many new events.")] = 1,
    duplicate: Annotated[int, typer.Option(min=0, help="How often each is delivered again.")] = 0,
) -> None:
    """Deliver events as EventBridge does, signed with a key of one's own."""
    from console.commands import send as send_

    if (sample is None) == (event_code is None) or (sample and data):
        raise typer.BadParameter("name a sample, or --event-code with --data")
    what = send_.operation(sample, event_code, data)
    target = send_.Target(url, token, account, key, emulator)
    raise typer.Exit(send_.run(what, target, count=count, duplicate=duplicate))


@app.command()
def doctor(json: Json = False) -> None:
    """Look at settings, engines and DataWorks, and say what each choice costs."""
    from console.commands import doctor as doctor_

    raise typer.Exit(doctor_.run(json=json))


if __name__ == "__main__":
    main()
