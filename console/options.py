"""Options and arguments that several commands share."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from common.extension_points import BY_CODE
from common.topology import Topology, default_namespace, is_namespace
from console import time_option
from console.exit_codes import UsageError

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for a free one.")]
SourcePaths = Annotated[
    list[str], typer.Argument(metavar="FILE...", help="Files, folders, or - for standard input.")
]
DialectName = Annotated[
    str | None,
    typer.Option(
        help="Dialect of files, and of the SQL in folders; default: by file name, maxcompute for SQL."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SINCE = typer.Option(
    parser=time_option.time_option,
    metavar="TIME",
    help="Received since: an age (7d, 2h, 30m) or an ISO date.",
)
Since = Annotated[float | None, SINCE]
Project = Annotated[int | None, typer.Option(help="Only this workspace (its id).")]
LanguageName = Annotated[
    str | None, typer.Option(metavar="LANGUAGE", help="en or zh; default: the policy's language, or en.")
]
PolicyFile = Annotated[
    Path | None,
    typer.Argument(envvar="DWGATE_POLICY_FILE", help="Policy file; default: the built-in policy."),
]
ExtensionCode = Annotated[
    str, typer.Option(envvar="DWGATE_EXTENSION_CODE", help="The extension's unique code.")
]
Namespace = Annotated[
    str | None,
    typer.Option(envvar="DWGATE_NAMESPACE", help="Names on the broker; default: the extension code."),
]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of rows.")]


def named_topology(extension_code: str, namespace: str | None) -> Topology:
    """Return the names of a fleet.

    Raises:
        typer.BadParameter: `namespace` is not a namespace.
    """
    if namespace and not is_namespace(namespace):
        raise typer.BadParameter(
            "expected up to 64 letters, digits, - and _, beginning with a letter or digit",
            param_hint="--namespace",
        )
    return Topology(namespace or default_namespace(extension_code))


def require_known(option: str, kind: str, values: Iterable[str], known: Collection[str]) -> None:
    """Check the values of an option against the names of this kind that there are.

    Raises:
        typer.BadParameter: a value is not one of them; the text has the nearest ones.
    """
    for value in values:
        if value not in known:
            near = get_close_matches(value, known, n=3) or sorted(known)
            raise typer.BadParameter(
                f"unknown {kind} {value}; expected {' or '.join(near)}", param_hint=option
            )


def require_points(option: str, codes: Iterable[str]) -> None:
    """Check event codes of extension points; see `require_known`."""
    require_known(option, "extension point", codes, BY_CODE)


def require_checks(option: str, names: Iterable[str]) -> None:
    """Check names of checks, those of plug-ins included; see `require_known`."""
    if wanted := list(names):
        from workers.checks import registry  # noqa: PLC0415 - other options do not need every check

        require_known(option, "check", wanted, registry.load_checks())


def require_free_port(host: str, port: int, option: str = "--port") -> None:
    """Check that a service can listen on a port; 0 always fits.

    Raises:
        UsageError: another process listens there, or the address is not one of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listener:
            # As servers do: an address that only closed connections still use is free.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"{option} {port}: {host}: {reason}; expected a free port, or 0") from None
