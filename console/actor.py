"""Who runs a command, for the audit trail."""

from __future__ import annotations

import os
import pwd
import socket


def current_actor() -> str:
    """Return the user of this process and the host: `alice@build-7`; with sudo, also who called it."""
    user = os.getuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        # A container may run as a user without a name.
        name = str(user)
    caller = os.environ.get("SUDO_USER")
    return f"{name}@{socket.gethostname()}" + (f" (sudo by {caller})" if caller else "")
