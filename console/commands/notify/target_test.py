"""`dwgate notify test`: sends a test message to a target of notifications."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from common.settings import load_settings
from common.text.i18n import Language
from common.text.printable import printable
from console.exit_codes import FAILED, UsageError
from workers.notifications.message import test_message
from workers.notifications.sending import SendEnd, send
from workers.notifications.targets import parse_targets
from workers.settings import WorkerSettings

app = typer.Typer(help="Test the targets of notifications.", no_args_is_help=True, add_completion=False)

_ENDS = {
    SendEnd.SENT: "sent",
    SendEnd.FAILED: "not sent: it did not answer in time, or refused the message",
    SendEnd.UNUSABLE: "its URL is unusable; expected one of apprise, such as dingtalk://SECRET@TOKEN",
}


@app.callback()
def group() -> None:
    """Test the targets of notifications."""


@app.command("test")
def send_test_command(
    target: Annotated[str, typer.Argument(help="Name of a target in DWGATE_NOTIFICATION_TARGETS.")],
    *,
    language: Annotated[Language, typer.Option(help="Language of the text.")] = Language.ENGLISH,
) -> None:
    """Send a test message to a target."""
    raise typer.Exit(send_test(target, language))


def send_test(target: str, language: Language) -> int:
    """Send a test message; return the exit code.

    Args:
        target: name of the target.
        language: of the text.

    Raises:
        UsageError: there is no such target.
    """
    setting = load_settings(WorkerSettings).notification_targets
    targets = parse_targets(setting.get_secret_value()) if setting else {}
    if target not in targets:
        known = f"expected one of {', '.join(sorted(targets))}" if targets else "none is set"
        raise UsageError(f"{printable(target)} is no target in DWGATE_NOTIFICATION_TARGETS; {known}")
    end = send(targets[target], test_message(target, language))
    print(f"{target}: {_ENDS[end]}", file=sys.stdout if end is SendEnd.SENT else sys.stderr)
    return 0 if end is SendEnd.SENT else FAILED
