"""Settings of the console."""

from __future__ import annotations

from pydantic import Field

from common.settings import Settings


class ConsoleSettings(Settings):
    """Settings of the console, in addition to those of every process."""

    console_open: bool = Field(
        default=False,
        description="true: whoever reaches the console sees every event without a link or a login; only on an"
        " address of loopback",
    )
