"""The inputs of a review: which files are read, in which dialect, and what is known of their tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from console.exit_codes import UsageError
from review.content.flow_spec import document_scripts
from review.content.node_script import NodeScript
from review.context import ReviewContext
from review.dialects import Dialect
from review.source.source_files import SUFFIXES, decode_source, dialect_of
from review.tables.metadata import parse_tables

STANDARD_INPUT = "-"
_JOB = b'"stepType"'
"""Marks a JSON file as a data integration job; other JSON in a folder is not node code."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file to review.

    Attributes:
        path: display path; `-` for standard input.
        file: the file itself; the current folder for standard input.
        dialect: its language.
        data: its bytes; None for a symbolic link out of the folder, which is not followed.
        before: its previous bytes, if a comparison is requested and it existed.
        place: where the file has it, of a script in a FlowSpec document or a notebook; None for a whole file.
    """

    path: str
    dialect: Dialect
    data: bytes | None
    before: bytes | None = None
    file: Path = Path()
    place: str | None = None


def dialect_named(name: str | None) -> Dialect | None:
    """Return the dialect of `--dialect`; None without one.

    Raises:
        UsageError: there is no such dialect.
    """
    known = sorted(dialect.value for dialect in Dialect if dialect is not Dialect.UNKNOWN)
    if name is not None and name not in known:
        raise UsageError(f"--dialect {name}: unknown dialect; expected one of {', '.join(known)}")
    return Dialect(name) if name else None


def read_context(metadata: Path | None, project: str | None = None) -> ReviewContext:
    """Return the context with the table metadata of a file.

    Raises:
        ConfigError: the file has other content.
        UsageError: it cannot be read.
    """
    # A plain dict, not the default: it is pickled for other processes.
    context = ReviewContext(project=project, tables={})
    if metadata is None:
        return context
    try:
        content = metadata.read_bytes()
    except OSError as error:
        raise UsageError(f"--metadata {metadata}: cannot be read: {error.strerror}") from None
    return replace(context, tables=parse_tables(str(metadata), content))


def read_sources(paths: Sequence[str], dialect: Dialect | None, old: Path | None) -> Iterator[Source]:
    """Yield the files at `paths`; of folders, those with a suffix of node code, sorted by name.

    A symbolic link in a folder is followed only within the folder: its author must not choose which other
    files of this machine are printed.

    Args:
        paths: files, folders, or `-`.
        dialect: the dialect of files, of standard input, and of the SQL in folders; None to infer it from
            the file names.
        old: the previous version of the file or folder.

    Raises:
        UsageError: a file is missing, or its dialect cannot be inferred.
    """
    if old is not None and not old.exists():
        raise UsageError(f"--diff {old}: no such file or folder")
    if old is not None and not old.is_dir() and (len(paths) != 1 or Path(paths[0]).is_dir()):
        raise UsageError(f"--diff {old}: a file can be compared only with one file; expected a folder")
    for name in paths:
        path = Path(name)
        if name == STANDARD_INPUT:
            yield _standard_input(dialect, old)
        elif path.is_dir():
            yield from _folder(path, dialect, old)
        else:
            source = _file(path, dialect, old)
            yield from _scripts_of(source) or (source,)


def _scripts_of(source: Source) -> tuple[Source, ...]:
    """Return the scripts of a FlowSpec document or of a notebook, each as a source; none for another file."""
    if not source.path.endswith((".json", ".ipynb")):
        return ()
    before = {script.place: script.code.encode() for script in _scripts(source.before)}
    return tuple(
        replace(
            source,
            path=f"{source.path}#{script.place}",
            dialect=script.dialect,
            data=script.code.encode(),
            before=None if source.before is None else before.get(script.place, b""),
            place=script.place,
        )
        for script in _scripts(source.data)
    )


def _scripts(data: bytes | None) -> tuple[NodeScript, ...]:
    content = decode_source(data) if data else None
    return document_scripts(content) if isinstance(content, str) else ()


def no_source_error(paths: Sequence[str]) -> UsageError:
    """Return the error that the folders at `paths` have no file to review."""
    folders = " ".join(paths)
    return UsageError(f"{folders}: no file to review; expected files with the suffix {', '.join(SUFFIXES)}")


def _standard_input(dialect: Dialect | None, old: Path | None) -> Source:
    before = _bytes(old) if old and not old.is_dir() else None
    return Source(STANDARD_INPUT, dialect or Dialect.MAXCOMPUTE, sys.stdin.buffer.read(), before)


def _file(path: Path, dialect: Dialect | None, old: Path | None) -> Source:
    data = _bytes(path)
    language = dialect or dialect_of(path)
    if language is None:
        raise UsageError(f"{path}: its dialect cannot be inferred from its name; expected --dialect")
    before = old / path.name if old and old.is_dir() else old
    return Source(_displayed(path), language, data, _bytes_of(before), path)


def _folder(folder: Path, dialect: Dialect | None, old: Path | None) -> Iterator[Source]:
    root = os.path.realpath(folder)
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if any(part.startswith(".") for part in inside.parts):
            continue
        language = dialect_of(path)
        if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
            if language or path.is_dir():
                yield Source(_displayed(path), language or Dialect.UNKNOWN, None)
            continue
        if language is None or not path.is_file():
            continue
        data = _bytes(path)
        source = Source(_displayed(path), language, data, _bytes_of(old / inside if old else None), path)
        if scripts := _scripts_of(source):
            yield from scripts
        elif language is not Dialect.DI or _JOB in data:
            yield replace(source, dialect=dialect) if language.sql and dialect else source


def _displayed(path: Path) -> str:
    """Return a path as text; undecodable bytes are escaped."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def _bytes_of(path: Path | None) -> bytes | None:
    return _bytes(path) if path and path.is_file() else None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
