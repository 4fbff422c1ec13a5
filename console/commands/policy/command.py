"""`dwgate policy`: validates and shows policy files, their schema and their option form."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from common.config_files.errors import ConfigError
from common.config_files.yaml_document import dump
from common.extension_points import BY_CODE
from common.plan import SettingSource
from common.subjects.policy_subject import PolicySubject
from common.text.printable import printable
from console.commands.policy import cases, template
from console.exit_codes import FAILED, UsageError
from console.options import Json, PolicyFile, Project, require_points
from console.output import tables
from workers.checks import registry
from workers.extension_options.form import build_form
from workers.policy import model, policy
from workers.policy.json_schema import build_schema as policy_schema

CHECKS_NOTHING = "this policy has no check: every operation gets the result of `verdict`, unchecked"

app = typer.Typer(help="Validate, test and show policies.", no_args_is_help=True, add_completion=False)


@app.command("check")
def check_command(
    file: PolicyFile = None,
) -> None:
    """Validate a policy; report every problem with its location."""
    raise typer.Exit(check(file))


app.command("test")(cases.command)
app.command("init")(template.command)


@app.command("schema")
def schema_command() -> None:
    """Print the JSON schema of a policy file."""
    raise typer.Exit(schema())


@app.command("options")
def options_command(
    file: PolicyFile = None,
    check: Annotated[list[str] | None, typer.Option(help="Only this check; repeatable.")] = None,
) -> None:
    """Print the option form to paste into the DataWorks console."""
    raise typer.Exit(options(file, check or []))


@app.command("show")
def show_command(
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
    require_points("--point", point or ())
    subject = PolicySubject(node_type(type_) if type_ else None, (name,) if name else ())
    raise typer.Exit(show(file, project, point or [], subject, json=json))


def check(file: Path | None) -> int:
    """Validate a policy file, or the built-in policy; return the exit code."""
    try:
        loaded = policy.load_policy(file, registry.load_checks())
    except ConfigError as error:
        for line in str(error).splitlines():
            print(printable(line), file=sys.stderr)
        return FAILED
    print(f"policy {describe_policy(file, loaded)}")
    if not loaded.checked_points():
        print(f"dwgate: {CHECKS_NOTHING}", file=sys.stderr)
    return 0


def schema() -> int:
    """Print the JSON schema of a policy file, for editors; return the exit code."""
    tables.json(policy_schema(registry.load_checks()))
    return 0


def options(file: Path | None, only: Sequence[str]) -> int:
    """Print the option form for the DataWorks console; return the exit code.

    Args:
        file: a policy file; None for the built-in policy.
        only: names of checks; empty for all.

    Raises:
        UsageError: the policy has no settings for the form.
    """
    loaded = policy.load_policy(file, registry.load_checks())
    settings = [each for each in loaded.console if not only or each.check in only]
    if not settings:
        of = f" of {', '.join(only)}" if only else ""
        raise UsageError(
            f"{file or 'the built-in policy'} lists nothing under console{of}; expected for example"
            " console: [code-review.mode]"
        )
    tables.json(build_form(settings, loaded.language))
    return 0


def show(
    file: Path | None, project: int | None, points: Sequence[str], about: PolicySubject, *, json: bool
) -> int:
    """Print the effective policy; return the exit code.

    Args:
        file: a policy file; None for the built-in policy.
        project: the workspace; None for one that the policy does not name.
        points: event codes; empty for all with a check.
        about: the file or table of the operation; if empty, `where` rules are not applied.
        json: print JSON, not YAML.
    """
    loaded = policy.load_policy(file, registry.load_checks())
    resolved = {code: loaded.resolve(code, project, about) for code in points or BY_CODE}
    chosen = {code: point for code, point in resolved.items() if point.checks or code in points}
    if json:
        tables.json({code: _point(point, SettingSource.to_json) for code, point in chosen.items()})
    else:
        print(dump({code: _point(point, str) for code, point in chosen.items()}, width=100), end="")
    return 0


def node_type(text: str) -> int:
    """Return the number of a node type given by number or name; the lowest if the name has several.

    Raises:
        UsageError: the name is unknown.
    """
    try:
        return min(model.node_type(int(text) if text.isdecimal() else text))
    except ValueError as error:
        raise UsageError(f"--type {text}: {error}") from None


def _point(point: policy.PointPolicy, show_source: Callable[[SettingSource], object]) -> dict[str, Any]:
    return {
        "deadline": point.deadline,
        "verdict": point.verdict.value.lower(),
        "checks": {
            check.name: {
                "mode": check.mode.value,
                "share": check.share,
                "on_timeout": check.on_timeout.value.lower(),
                "on_error": check.on_error.value.lower(),
                "on_unreviewable": check.on_unreviewable.value.lower(),
                "options": effective_options(check),
                "sources": {name: show_source(source) for name, source in check.sources.items()},
            }
            for check in point.checks
        },
    }


def effective_options(check: policy.CheckPolicy) -> dict[str, Any]:
    """Return every option of a check with the value that it has, defaults included.

    Groups without an option, such as those of rules that have none, are left out.
    """
    complete = registry.load_checks()[check.name].options.model_validate(check.options)
    return _without_empty_groups(complete.model_dump(mode="json", by_alias=True))


def _without_empty_groups(values: dict[str, Any]) -> dict[str, Any]:
    kept = {
        name: _without_empty_groups(value) if isinstance(value, dict) else value
        for name, value in values.items()
    }
    return {name: value for name, value in kept.items() if value != {}}


def describe_policy(file: Path | None, loaded: policy.Policy) -> str:
    """Return a one-line description of a valid policy."""
    points = [loaded.resolve(code, None) for code in BY_CODE]
    checked = [point for point in points if point.checks]
    checks = {check.name for point in checked for check in point.checks}
    name = str(file) if file else "(built in)"
    size = f"{_count_text(len(checked), 'point')} with {_count_text(len(checks), 'check')}"
    return f"{name} is valid: {size}, version {loaded.version}"


def _count_text(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")
