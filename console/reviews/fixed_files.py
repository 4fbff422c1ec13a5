"""Fixes files in place, or shows how they would be fixed."""

from __future__ import annotations

import difflib
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.processes.isolated_process import Interrupted
from common.text.printable import printable
from console.exit_codes import UsageError
from console.reviews import isolated_reviews
from console.reviews.file_reviews import review_code
from console.reviews.inputs import STANDARD_INPUT, Source
from console.reviews.settings import ReviewSettings
from review.analysis.secret_mask import SecretMask
from review.content.node_script import file_script
from review.dialects import Dialect
from review.fixes import FixedCode, fix_code
from review.source.source_files import decode_source, encode_like


@dataclass(frozen=True, slots=True)
class FixedFile:
    """A file and its text before and after it is fixed.

    Attributes:
        data: its bytes after that, in the encoding that it had.
        fixed: how many edits were made.
    """

    source: Source
    before: str
    after: str
    data: bytes
    fixed: int


def fix_files(files: Sequence[Source], settings: ReviewSettings) -> tuple[FixedFile, ...]:
    """Return the files that can be fixed, fixed; nothing is written.

    A file is left alone if a review of it stalls, if it has its script within JSON, or if its bytes cannot be
    restored from its text.
    """
    texts = [(file, text) for file in files if (text := _fixable_text(file)) is not None]

    def work(job: tuple[Source, str]) -> FixedCode:
        file, text = job
        return fix_code(text, lambda code: review_code(code, file.dialect, settings), settings.selection.has)

    done = isolated_reviews.do_all(work, texts)
    return tuple(
        FixedFile(file, text, result.code, data, result.fixed)
        for (file, text), result in zip(texts, done, strict=True)
        if not isinstance(result, Interrupted)
        and result.fixed
        and file.data is not None
        and (data := encode_like(result.code, file.data)) is not None
    )


def _fixable_text(file: Source) -> str | None:
    if file.path == STANDARD_INPUT or file.data is None or file.place is not None:
        return None
    text = decode_source(file.data)
    if not isinstance(text, str) or file_script(text, file.dialect).place is not None:
        return None
    return text if encode_like(text, file.data) == file.data else None


def write_fixed(fixed: FixedFile) -> None:
    """Replace a file by its fixed version: at every moment it is one or the other, whatever fails.

    Raises:
        UsageError: it cannot be written, or has changed since it was read.
    """
    path = Path(os.path.realpath(fixed.source.file))
    try:
        if path.read_bytes() != fixed.source.data:
            raise UsageError(f"{fixed.source.path}: changed during the review; it was not fixed")
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(fixed.data)
                file.flush()
                os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"{fixed.source.path}: cannot be written: {error.strerror}") from None


def diff_lines(fixed: FixedFile) -> Iterator[str]:
    """Yield the unified diff of a file before and after it is fixed, without its secrets."""
    name = printable(fixed.source.path)
    before, after = (_visible_lines(text, fixed.source.dialect) for text in (fixed.before, fixed.after))
    for line in difflib.unified_diff(before, after, name, name, lineterm=""):
        yield printable(line)


def _visible_lines(text: str, dialect: Dialect) -> list[str]:
    lines = [line.removesuffix("\r") for line in SecretMask(text, dialect).blank(text).split("\n")]
    return lines if lines[-1] else lines[:-1]
