"""Replaces the secrets of a script in texts about it: its names are shown, its secrets are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from review.analysis.secret_patterns import find_secrets
from review.dialects import Dialect
from review.facts import Span

MASK = "***"

_MAX_SECRETS = 200
"""Maximum number of different secrets that are searched for in a text; limits the time of a search."""

_MIN_LENGTH = 8
"""Characters from which a secret is replaced within a longer word, too."""

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?:(?!-----END ).)*+", re.DOTALL)
_BLACK = re.compile(r"\S")
_ESCAPED_NEWLINE = re.compile(r"\\[nr]")
_KEY_LINE = re.compile(r"[A-Za-z0-9+/=]{16,}")


class SecretMask:
    """Masks the secrets of one script.

    Args:
        code: the script.
        dialect: its language.
        others: spans of secrets that are found by their position and not by their form.
    """

    def __init__(self, code: str, dialect: Dialect, others: Iterable[Span] = ()) -> None:
        self.spans = tuple(_spans(code, dialect, others))
        found = {text.lower() for at in self.spans for text in _texts(code[at.begin : at.end]) if text}
        # The longest first: a secret may be a part of another one.
        self._secrets = sorted(found, key=lambda text: (-len(text), text))
        self._masked: dict[str, str] = {}

    def apply(self, text: str) -> str:
        """Return `text` with every secret of the script replaced, in any case.

        A short secret is replaced as a whole word only: it may also be a part of ordinary words. If the
        script has too many secrets to search for all of them, the whole text is replaced.
        """
        if not self._secrets:
            return text
        if len(self._secrets) > _MAX_SECRETS:
            return MASK
        if text not in self._masked:
            self._masked[text] = self._replace_secrets(text, lambda _: MASK)
        return self._masked[text]

    def blank(self, code: str) -> str:
        """Return the script with asterisks for every character of a secret, wherever it occurs."""
        if len(self._secrets) > _MAX_SECRETS:
            return _BLACK.sub("*", code)
        shown = []
        end = 0
        for begin, stop in sorted((at.begin, at.end) for at in self.spans):
            shown += [code[end:begin], _BLACK.sub("*", code[max(begin, end) : stop])]
            end = max(end, stop)
        return self._replace_secrets("".join([*shown, code[end:]]), _asterisks)

    def _replace_secrets(self, text: str, by: Callable[[re.Match[str]], str]) -> str:
        lower = text.lower()
        for secret in self._secrets:
            if secret in lower:
                pattern = re.escape(secret)
                if len(secret) < _MIN_LENGTH:
                    pattern = rf"(?<!\w){pattern}(?!\w)"
                text = re.sub(pattern, by, text, flags=re.IGNORECASE)
        return text


def _asterisks(match: re.Match[str]) -> str:
    return _BLACK.sub("*", match[0])


def _spans(code: str, dialect: Dialect, others: Iterable[Span]) -> Iterator[Span]:
    """Yield the spans of secrets; that of a private key ends behind its last line."""
    yield from (secret.at for secret in find_secrets(code, dialect))
    yield from others
    if "PRIVATE KEY" in code:
        yield from (Span(*match.span()) for match in _PRIVATE_KEY.finditer(code))


def _texts(secret: str) -> Iterator[str]:
    """Yield the texts by which a secret is recognized: of a private key, its lines."""
    if secret.startswith("-----BEGIN"):
        yield from _KEY_LINE.findall(_ESCAPED_NEWLINE.sub(" ", secret))
    else:
        yield secret.strip("'\"")
