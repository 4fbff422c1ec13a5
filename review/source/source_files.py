"""Reads node code from files: its language from the file name, its text from the bytes."""

from __future__ import annotations

import codecs
import re
from pathlib import PurePath

from common.text.i18n import Language, Text
from common.verdicts import Finding, Severity
from review.dialects import Dialect

SUFFIXES = {
    ".sql": Dialect.MAXCOMPUTE,
    ".odps": Dialect.MAXCOMPUTE,
    ".mc": Dialect.MAXCOMPUTE,
    ".hql": Dialect.HIVE,
    ".hive": Dialect.HIVE,
    ".py": Dialect.PYTHON,
    ".sh": Dialect.SHELL,
    ".bash": Dialect.SHELL,
    ".json": Dialect.DI,
    ".ipynb": Dialect.PYTHON,
}
"""The languages of files by suffix.

A JSON file may also be of another kind than a data integration job; each cell of a notebook has a language.
"""

_MARKS = (
    (codecs.BOM_UTF8, "UTF-8", "utf-8"),
    (codecs.BOM_UTF32_LE, "UTF-32", "utf-32-le"),
    (codecs.BOM_UTF32_BE, "UTF-32", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "UTF-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "UTF-16", "utf-16-be"),
)
_UNMARKED = (("UTF-8", "utf-8"), ("GB18030", "gb18030"))
_CONTROL = re.compile("[\x00-\x08\x0e-\x19\x1c-\x1f]")
"""Control characters that do not occur in text; whitespace, Ctrl-Z and ESC do."""


def dialect_of(path: PurePath) -> Dialect | None:
    """Return the language of a file by its suffix; None for a suffix that is not node code."""
    return SUFFIXES.get(path.suffix.lower())


def decode_source(data: bytes, language: Language = Language.ENGLISH) -> str | Finding:
    """Return the text of `data`, or the finding that it is not text.

    A byte order mark decides the encoding (UTF-8, UTF-16, UTF-32); without one it is UTF-8 or else GB18030.
    Data with control characters is binary: not text in any encoding.
    """
    for mark, name, codec in _MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], ((name, codec),), language)
    return _decoded(data, _UNMARKED, language)


def encode_like(text: str, data: bytes) -> bytes | None:
    """Return `text` in the encoding of `data`, as `decode_source` finds it; None if it cannot be encoded."""
    try:
        for mark, _, codec in _MARKS:
            if data.startswith(mark):
                return mark + text.encode(codec)
        for _, codec in _UNMARKED:
            if _is_encoded(data, codec):
                return text.encode(codec)
    except UnicodeEncodeError:
        pass
    return None


def _is_encoded(data: bytes, codec: str) -> bool:
    try:
        data.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _decoded(data: bytes, encodings: tuple[tuple[str, str], ...], language: Language) -> str | Finding:
    wrong = 0
    for _, codec in encodings:
        try:
            text = data.decode(codec)
        except UnicodeDecodeError as error:
            wrong = max(wrong, error.start)
        else:
            control = _CONTROL.search(text)
            return text if control is None else _binary(ord(control[0]), language)
    return _not_text(" or ".join(name for name, _ in encodings), wrong, language)


def unread_finding(reason: Text, language: Language) -> Finding:
    """Return the finding that nothing of a file was reviewed; `reason` begins in lower case."""
    message = Text(f"Not reviewed: {reason.en}.", f"未检查：{reason.zh}。")
    help_ = Text("Simplify or split the file.", "请简化或拆分该文件。")
    return _finding(message, help_, language)


def outside_finding(language: Language) -> Finding:
    """Return the finding that a file is a symbolic link out of the reviewed folder."""
    message = Text(
        "Not reviewed: a symbolic link to a place outside the folder.", "未检查：这是指向目录之外的符号链接。"
    )
    help_ = Text(
        "Replace the link with the file, or review its target by itself.",
        "请改用文件本身，或单独检查链接的目标。",
    )
    return _finding(message, help_, language)


def _not_text(names: str, at: int, language: Language) -> Finding:
    message = Text(
        f"Not reviewed: not valid {names} text from byte {at + 1} on.",
        f"未检查：内容不是 {names.replace(' or ', ' 或 ')} 文本，自第 {at + 1} 个字节起无法解码。",
    )
    return _finding(message, _SAVE, language)


def _binary(code: int, language: Language) -> Finding:
    message = Text(
        f"Not reviewed: contains the control character U+{code:04X}, so it is binary,"
        " or UTF-16 without a byte order mark.",
        f"未检查：内容含有控制字符 U+{code:04X}，不是文本，或是没有字节顺序标记的 UTF-16。",
    )
    return _finding(message, _SAVE, language)


_SAVE = Text("Save the file as UTF-8.", "请将文件保存为 UTF-8。")


def _finding(message: Text, help_: Text, language: Language) -> Finding:
    return Finding("MC-C19", Severity.WARN, message.in_language(language), help=help_.in_language(language))
