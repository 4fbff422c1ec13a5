"""The `dwgate` command: its commands by name, each in a module that is imported only when it runs."""

from __future__ import annotations

import gc
import logging
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typer._click import Command

COMMANDS = {
    "demo": "Run dwgate on this machine and send a good and a bad sample of ten extension points.",
    "up": "Run all of dwgate on this machine until Ctrl-C.",
    "ingest": "Receive events from EventBridge and enqueue them.",
    "worker": "Check events and post verdicts, in every role unless --role is given.",
    "console": "Serve the web pages of events.",
    "flower": "Serve Flower, the web pages of workers and tasks.",
    "emulator": "Serve an emulated DataWorks OpenAPI.",
    "notify": "Test the targets of notifications.",
    "audit": "Show who changed what, when and why.",
    "requeue": "Run stored events again; never post a result that differs from an accepted one.",
    "replay": "Evaluate past events under another policy and show what would change; read-only.",
    "review": "Review node code; exit with 1 on a warning, a block, or code that was not reviewed.",
    "lineage": "Show which tables and columns node code reads and writes; exit with 1 on unread code.",
    "rules": "List the review's rules, or show one rule's page.",
    "send": "Deliver events as EventBridge does, signed with your own key or to a queue.",
    "accounts": "Write a user of RabbitMQ and of Redis for every service, with its rights and password.",
    "topology": "Print the exchanges, queues and bindings that RabbitMQ must have.",
    "status": "Show processes, queues, pending events, quota and memory; exit with 1 on a problem.",
    "doctor": "Check settings, engines and DataWorks, and report the trade-offs of the settings.",
    "events": "Show stored events.",
    "policy": "Validate, test and show policies.",
    "waivers": "Waive findings for a limited time, and report their use.",
}
"""Summary of each command by name. `console.commands.NAME` has the command itself, as the Typer app `app`."""

SERVICES = frozenset({"ingest", "worker", "console", "flower", "emulator"})
"""Commands whose modules are in `console.commands.services`."""


def load_command(name: str) -> Command:
    """Import and return the command `name`."""
    from typer.main import get_command  # noqa: PLC0415 - it is loaded already

    if name == "review":
        # Pydantic would search all installed packages for plug-ins: a tenth of the time of a review.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    gc.disable()
    try:
        folder = "console.commands.services" if name in SERVICES else "console.commands"
        module = import_module(f"{folder}.{name}")
    finally:
        gc.enable()
    _keep_logs_from_output()
    return get_command(module.app)


def _keep_logs_from_output() -> None:
    """Write errors that the workers' code logs to stderr, and nothing else; services set up their own logs.

    By itself structlog writes to stdout, where a program reads a command's JSON.
    """
    if structlog := sys.modules.get("structlog"):
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
            logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        )


def print_version() -> None:
    """Print the version."""
    from common.processes.version import running_version  # noqa: PLC0415 - only needed here

    print(f"dwgate {running_version()}")


def main() -> None:
    """Run the command line; report an expected error in one line and exit with its code."""
    if sys.stdout is None:
        # The caller closed it; libraries expect that there is one.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - until the process ends
    if sys.argv[1:] == ["--version"]:
        print_version()
        return
    # Imports create no garbage: collecting meanwhile takes an eighth of the time of a review.
    gc.disable()
    try:
        from console.application import run  # noqa: PLC0415 - the version is shown without it

        code = run()
    except Exception as error:  # noqa: BLE001 - `report_error` re-raises unexpected errors
        from console import errors  # noqa: PLC0415 - it loads the libraries whose errors it knows

        code = errors.report_error(error)
    sys.exit(code)


if __name__ == "__main__":
    main()
