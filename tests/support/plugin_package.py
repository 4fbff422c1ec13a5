"""Installs the source of one module as a package with an entry point, for processes that tests start."""

from __future__ import annotations

from pathlib import Path


def write_plugin(site: Path, module: str, source: str, *, group: str) -> Path:
    """Write a package of one module to a directory that PYTHONPATH can name; return the directory.

    Args:
        site: the directory.
        module: name of the module.
        source: its source.
        group: the entry point group (`dwgate.checks`).
    """
    info = site / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (site / f"{module}.py").write_text(source)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{module} = {module}\n")
    return site
