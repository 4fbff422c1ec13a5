"""`dwgate policy`: a module for each part with a subject of its own, joined by `command`."""

from console.commands.policy.command import app

__all__ = ["app"]
