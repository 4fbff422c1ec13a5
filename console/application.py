"""The command line: lists the commands, and runs one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError
from typer.core import TyperGroup

from common.text.printable import printable
from console.exit_codes import FAILED, USAGE
from console.main import COMMANDS, load_command, print_version

if TYPE_CHECKING:
    from typer._click import Command, Context


class LazyGroup(TyperGroup):
    """A group with placeholders for its commands: `--help` is fast, and a worker loads only what it needs."""

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """Return the command to run, imported, with its name and arguments."""
        name, placeholder, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else placeholder, rest


def _placeholder() -> None:
    """Stand in for a command in `--help`; `LazyGroup` replaces it before it could run."""


app = typer.Typer(
    cls=LazyGroup,
    help="dwgate checks DataWorks operations and posts a verdict on each before its deadline.",
    no_args_is_help=True,
    # Every command inherits the names from this one.
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
for _name, _summary in COMMANDS.items():
    app.command(_name, help=_summary)(_placeholder)


def _show_version(*, is_wanted: bool) -> None:
    if is_wanted:
        print_version()
        raise typer.Exit


@app.callback()
def _read_env_file(
    *,
    env_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar="DWGATE_ENV_FILE",
            help="Read settings from this file, too; the environment overrides it.",
        ),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Export the settings of a file before a command reads its own."""
    if env_file is not None:
        from console.env_file import export_settings  # noqa: PLC0415 - only needed with a file

        export_settings(env_file)


def run() -> int:
    """Run the command line and return its exit code; report wrong usage in one line.

    Raises:
        Exception: whatever a command raises.
    """
    try:
        code = app(standalone_mode=False)
    except NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except UsageError as error:
        message = " ".join(error.format_message().split())
        command = error.ctx.command_path if error.ctx else "dwgate"
        print(f"dwgate: {printable(message)} ({command} --help shows the usage)", file=sys.stderr)
        return USAGE
    except typer.Abort:
        print("dwgate: aborted", file=sys.stderr)
        return FAILED
    return code if isinstance(code, int) else 0
