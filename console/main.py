"""The `dwgate` command: lists its commands, and imports a command's module only when it runs."""

from __future__ import annotations

import gc
import logging
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer._click import Command, Context

COMMANDS = {
    "demo": "Run dwgate on this machine and send a good and a bad sample of ten extension points.",
    "up": "Run all of dwgate on this machine until Ctrl-C.",
    "ingest": "Receive events from EventBridge and enqueue them.",
    "worker": "Check events and post verdicts, in every role unless --role is given.",
    "flower": "Serve Flower, the web pages of workers and tasks.",
    "emulator": "Serve an emulated DataWorks OpenAPI.",
    "audit": "Show who changed what, when and why.",
    "requeue": "Run stored events again; never post a result that differs from an accepted one.",
    "replay": "Evaluate past events under another policy and show what would change; read-only.",
    "review": "Review node code; exit with 1 on a warning, a block, or code that was not reviewed.",
    "lineage": "Show which tables and columns node code reads and writes; exit with 1 on unread code.",
    "rules": "List the review's rules, or show one rule's page.",
    "send": "Deliver events as EventBridge does, signed with your own key.",
    "accounts": "Write a user of RabbitMQ and of Redis for every service, with its rights and password.",
    "topology": "Print the exchanges, queues and bindings that RabbitMQ must have.",
    "doctor": "Check settings, engines and DataWorks, and report the trade-offs of the settings.",
    "events": "Show stored events.",
    "policy": "Validate, test and show policies.",
    "waivers": "Waive findings for a limited time, and report their use.",
}
"""Summary of each command by name. `console.commands.NAME` has the command itself, as the Typer app `app`."""

SERVICES = frozenset({"ingest", "worker", "flower", "emulator"})
"""Commands whose modules are in `console.commands.services`."""


class LazyGroup(TyperGroup):
    """A group with placeholders for its commands: `--help` is fast, and a worker loads only what it needs."""

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """Return the command to run, imported, with its name and arguments."""
        name, placeholder, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else placeholder, rest


def load_command(name: str) -> Command:
    """Import and return the command `name`."""
    # Imports create no garbage: collecting meanwhile takes an eighth of the time of a review.
    gc.disable()
    try:
        folder = "console.commands.services" if name in SERVICES else "console.commands"
        module = import_module(f"{folder}.{name}")
    finally:
        gc.enable()
    _keep_logs_from_output()
    return typer.main.get_command(module.app)


def _keep_logs_from_output() -> None:
    """Write errors that the workers' code logs to stderr, and nothing else; services set up their own logs.

    By itself structlog writes to stdout, where a program reads a command's JSON.
    """
    if structlog := sys.modules.get("structlog"):
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
            logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        )


def _placeholder() -> None:
    """Stand in for a command in `--help`; `LazyGroup` replaces it before it could run."""


app = typer.Typer(
    cls=LazyGroup,
    help="dwgate checks DataWorks operations and posts a verdict on each before its deadline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _name, _summary in COMMANDS.items():
    app.command(_name, help=_summary)(_placeholder)


@app.callback()
def _read_env_file(
    env_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar="DWGATE_ENV_FILE",
            help="Read settings from this file, too; the environment overrides it.",
        ),
    ] = None,
) -> None:
    """Export the settings of a file before a command reads its own."""
    if env_file is not None:
        from console.env_file import export_settings  # noqa: PLC0415 - only needed with a file

        export_settings(env_file)


def main() -> None:
    """Run the command line; report an expected error in one line and exit with its code."""
    try:
        app()
    except Exception as error:  # noqa: BLE001 - `report_error` re-raises unexpected errors
        from console import errors  # noqa: PLC0415 - it loads the libraries whose errors it knows

        sys.exit(errors.report_error(error))


if __name__ == "__main__":
    main()
