"""`dwgate policy init`: writes the built-in policy with its comments, to be changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.errors import CommandFailed
from workers.policy import policy


def command(
    file: Annotated[
        Path,
        typer.Argument(dir_okay=False, help="File to write, which must not exist; - for standard output."),
    ] = Path("policy.yaml"),
) -> None:
    """Write the built-in policy, with its comments, as a file to change."""
    text = policy.BUILT_IN.read_text(encoding="utf-8")
    if file == Path("-"):
        print(text, end="")
        return
    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError:
        raise CommandFailed(f"{file}: exists already; expected a new file") from None
    print(f"{file} written: the built-in policy. Next: dwgate policy check {file}")
