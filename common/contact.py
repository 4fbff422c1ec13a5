"""Whom people may ask about a verdict, and where they request an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import quote

PLACEHOLDERS = ("message_id", "rule", "file")
"""What a tracker's link template may contain, in braces."""


@dataclass(frozen=True, slots=True)
class Contact:
    """The contact of a workspace; each field is None if the policy does not set it.

    Attributes:
        name: a team or a person.
        url: a page or chat, http or https.
        mail: a mail address.
        tracker: link template for requests of exceptions, with `{message_id}`, `{rule}` and `{file}`.
    """

    name: str | None = None
    url: str | None = None
    mail: str | None = None
    tracker: str | None = None

    @property
    def text(self) -> str | None:
        """Name and address on one line; None if neither is set. The URL is preferred to the mail address."""
        return ", ".join(filter(None, (self.name, self.url or self.mail))) or None

    def request_url(self, *, message_id: str, rule: str, file: str) -> str | None:
        """Return the link to request an exception, its values percent-encoded; None without a tracker."""
        url = self.tracker
        for name, value in zip(PLACEHOLDERS, (message_id, rule, file), strict=True):
            url = url and url.replace(f"{{{name}}}", quote(value, safe=""))
        return url

    def to_json(self) -> dict[str, str]:
        """Return the contact as plain JSON without empty fields."""
        values = ((item.name, getattr(self, item.name)) for item in fields(self))
        return {name: value for name, value in values if value is not None}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Contact:
        """Return the contact that `to_json` serialized; fields that a newer dwgate has added are ignored."""
        return cls(**{item.name: raw.get(item.name) for item in fields(cls)})
