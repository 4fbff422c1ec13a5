"""The file of settings that `--env-file` names. No such file is read unless it is named.

A file that is read because it lies in the working directory would let that directory choose where credentials
are sent.
"""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from common.settings import PREFIX
from console.exit_codes import UsageError

VARIABLE = f"{PREFIX}ENV_FILE"
"""The environment variable with the path of the file in use."""

DEFAULT_NAME = ".env"
"""The name under which many programs read such a file by themselves; `dwgate doctor` reports one."""

_KEYS = "ALIBABA_CLOUD_"


def export_settings(file: Path) -> None:
    """Add the settings and access keys of `file` to the environment, where it does not have them.

    Values are literal: `${…}` in them is not replaced. Other variables are ignored.

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}; expected a file of settings") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file}: not UTF-8 text; expected a file of settings") from None
    # Key id and secret must come from the same source: never mix the environment's with those of the file.
    has_keys = any(name.startswith(_KEYS) for name in os.environ)
    for name, value in dotenv_values(stream=StringIO(text), interpolate=False).items():
        if value and (name.startswith(PREFIX) or (name.startswith(_KEYS) and not has_keys)):
            os.environ.setdefault(name, value)
    os.environ[VARIABLE] = str(file.absolute())


def unread_file() -> Path | None:
    """Return the `.env` of the working directory if it exists and is not in use."""
    file = Path(DEFAULT_NAME).absolute()
    return file if file.is_file() and os.environ.get(VARIABLE) != str(file) else None
