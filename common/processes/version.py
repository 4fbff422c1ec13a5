"""The version of dwgate that this process runs."""

from importlib import metadata

DISTRIBUTION = "dwgate"


def running_version() -> str:
    """Return the version of the installed package, such as `1.2.0`; its source is `pyproject.toml`."""
    return metadata.version(DISTRIBUTION)
