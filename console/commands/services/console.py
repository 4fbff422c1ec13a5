"""`dwgate console`: serves the web pages until SIGTERM, and writes its users file."""

from __future__ import annotations

import ipaddress
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from common.log import configure_logging
from common.settings import SettingsError, load_settings
from console.access.users import Role
from console.access.users_file import MIN_PASSWORD_LENGTH, load_users, write_user
from console.diagnoses.unknown_settings import log_unknown_settings
from console.exit_codes import UsageError
from console.options import Host, Port, require_free_port
from console.web.server import run
from console.web.settings import ConsoleSettings

app = typer.Typer(add_completion=False, help="Serve the web pages of events.")


@app.callback(invoke_without_command=True)
def command(context: typer.Context, host: Host = "127.0.0.1", port: Port = 8081) -> None:
    """Serve the web pages of events until SIGTERM."""
    if context.invoked_subcommand is not None:
        return
    settings = load_settings(ConsoleSettings)
    require_protection(settings, host)
    configure_logging(settings.log_level, "console")
    log_unknown_settings()
    require_free_port(host, port)
    run(settings, host, port)


@app.command("add-user")
def add_user_command(
    name: Annotated[str, typer.Argument(help="Name to log in with.")],
    *,
    file: Annotated[
        Path,
        typer.Option(
            metavar="FILE", envvar="DWGATE_CONSOLE_USERS_FILE", help="The users file; created if missing."
        ),
    ],
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.VIEWER,
    workspace: Annotated[
        list[int] | None, typer.Option(help="Only events of this workspace; repeatable.")
    ] = None,
) -> None:
    """Add a user, or replace the one of that name; the password is read from the terminal or stdin."""
    password = _read_password()
    if len(password) < MIN_PASSWORD_LENGTH:
        raise UsageError(f"the password is too short; expected at least {MIN_PASSWORD_LENGTH} characters")
    try:
        is_new = write_user(file, name, role, password, tuple(workspace) if workspace else None)
    except ValidationError:
        raise UsageError(
            f"NAME {name!r}: invalid; expected 1 to 100 characters without spaces and colons"
        ) from None
    print(f"{name} is {'added to' if is_new else 'replaced in'} {file} as {role.value}")


def require_protection(settings: ConsoleSettings, host: str) -> None:
    """Check that not everyone who reaches the console sees its pages, unless that is this machine only.

    Raises:
        SettingsError: it listens on other addresses, and no login is configured.
        ConfigError: the users file is invalid.
    """
    if settings.console_users_file:
        load_users(settings.console_users_file)
    if _is_loopback(host):
        return
    if settings.console_open:
        raise SettingsError(
            f"DWGATE_CONSOLE_OPEN: everyone who reaches {host} would see every event;"
            " expected an address of loopback in --host"
        )
    if not settings.has_login:
        raise SettingsError(
            f"DWGATE_CONSOLE_USERS_FILE: missing, although the console listens on {host}; expected a users"
            " file (dwgate console add-user), or an address of loopback in --host"
        )


def _read_password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
