"""`dwgate notify`: what a person does about notifications."""

from console.commands.notify.target_test import app

__all__ = ["app"]
