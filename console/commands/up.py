"""`dwgate up`: runs all of dwgate on this machine until Ctrl-C."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from console.options import require_free_port
from deploy.local import folder_lock, private_folder, stack
from workers.checks import registry
from workers.policy import policy
from workers.waivers import loader

app = typer.Typer(add_completion=False)


@app.command()
def command(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of ingest; 0 for a free one.")] = 8080,
    console_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the console; 0 for a free one.")
    ] = 8081,
    flower_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of Flower; 0 for a free one.")
    ] = 5555,
    data: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Keep data and logs in this folder, closed to other users."),
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
    raise typer.Exit(
        run(
            port=port,
            console_port=console_port,
            flower_port=flower_port,
            data=data,
            policy_file=policy,
            waivers_file=waivers,
        )
    )


def run(
    *,
    port: int,
    console_port: int,
    flower_port: int,
    data: Path | None,
    policy_file: Path | None,
    waivers_file: Path | None,
) -> int:
    """Keep the stack running until Ctrl-C or SIGTERM; return the exit code.

    Args:
        port: port of ingest.
        console_port: port of the console.
        flower_port: port of Flower.
        data: folder to keep data and logs in; None for a temporary one.
        policy_file: the policy; None for the built-in one.
        waivers_file: the waivers; None for none.

    Raises:
        ConfigError: the policy or the waivers file is invalid.
        FolderInUse: another process runs with `data`.
        UsageError: a port is in use.
        FolderShared: `data` is open to other users and contains files that are not dwgate's.
    """
    require_free_port("127.0.0.1", port)
    require_free_port("127.0.0.1", console_port, "--console-port")
    require_free_port("127.0.0.1", flower_port, "--flower-port")
    settings = _settings(policy_file, waivers_file)
    folder = Path(tempfile.mkdtemp(prefix="dwgate-up-")) if data is None else data.absolute()
    private_folder.make_private(folder)
    try:
        with (
            folder_lock.locked(folder),
            stack.running_stack(
                folder, port=port, console_port=console_port, flower_port=flower_port, settings=settings
            ) as parts,
        ):
            print(render_page(parts, settings), flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        print("stopped")
    finally:
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def _settings(policy_file: Path | None, waivers_file: Path | None) -> dict[str, str]:
    loaded = policy.load_policy(policy_file, registry.load_checks())
    if waivers_file is not None:
        loader.load_waivers(waivers_file, loaded.waivers, time.time())
    files = {"DWGATE_POLICY_FILE": policy_file, "DWGATE_WAIVERS_FILE": waivers_file}
    return {name: str(file.absolute()) for name, file in files.items() if file is not None}


def render_page(parts: stack.Stack, settings: Mapping[str, str]) -> str:
    """Return the addresses of the running stack, and examples of its use.

    Args:
        parts: the running stack.
        settings: additional settings of the worker.
    """
    dwgate = _command_name()
    return f"""\
Open {parts.console_url}

events       {parts.events_url}
DataWorks    {parts.emulator_url} (emulated)
Flower       {parts.flower_url} (user {stack.FLOWER_USER}, password {parts.flower_password})
policy       {settings.get("DWGATE_POLICY_FILE", "built in")}
waivers      {settings.get("DWGATE_WAIVERS_FILE", "none")}
data, logs   {parts.folder}

Send a sample and see its verdict:
  {dwgate} send freeze-node-bad --url {parts.events_url} --token {parts.token} \\
    --key {parts.folder} --emulator {parts.emulator_url}
See its result:
  {dwgate} --env-file {parts.folder / stack.SETTINGS_FILE} events list

Its settings are in that file.

Ctrl-C stops it."""


def _command_name() -> str:
    """Return how a shell finds this command: by its name, or by its path where that is not on PATH."""
    return "dwgate" if shutil.which("dwgate") else str(Path(sys.executable).with_name("dwgate"))
