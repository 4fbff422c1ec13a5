"""The pages about the review's rules and about checks, to which findings lead."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from common.text.i18n import Language
from console.web.errors import Problem, RequestRefused
from console.web.page_renderer import PageRenderer, preferences_of
from console.web.texts.reference import REFERENCE
from review import rule_docs
from review.rules.registry import BUILT_IN, BY_ID
from workers.checks.api import Check

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True, slots=True)
class OptionRow:
    """One option of a check."""

    name: str
    meaning: str
    default: str


class ReferencePages:
    """Answers requests for the page of a rule or a check; they are for everyone.

    Args:
        renderer: renders the templates.
        checks: the checks by name.
    """

    def __init__(self, renderer: PageRenderer, checks: Mapping[str, Check]) -> None:
        self._renderer = renderer
        self._checks = checks

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [Route("/rules/{id}", self._rule), Route("/checks/{name}", self._check)]

    async def _rule(self, request: Request) -> Response:
        rule = BY_ID.get(request.path_params["id"].upper())
        if rule is None:
            raise RequestRefused(Problem.NOT_FOUND)
        language = preferences_of(request).language
        is_built_in = rule in BUILT_IN
        page = rule_docs.render_page(rule, language) if is_built_in else inspect.cleandoc(rule.docs)
        values = {
            "title": f"{rule.id} {rule.name}",
            "html": render_markdown(page),
            "is_english": not is_built_in and language is not Language.ENGLISH,
        }
        return self._renderer.render(request, "rule.html.j2", REFERENCE, values)

    async def _check(self, request: Request) -> Response:
        check = self._checks.get(request.path_params["name"])
        if check is None:
            raise RequestRefused(Problem.NOT_FOUND)
        text, _, _ = inspect.cleandoc(check.run.__doc__ or "").partition("\nOptions:")
        values = {
            "check": check,
            "points": ", ".join(sorted(check.points)),
            "html": render_markdown(text),
            "options": [
                OptionRow(name, field.description or "", _default(field.get_default()))
                for name, field in check.options.model_fields.items()
            ],
        }
        return self._renderer.render(request, "check.html.j2", REFERENCE, values)


def render_markdown(text: str) -> Markup:
    """Return Markdown as HTML; HTML in it is shown as text."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704 - the renderer escapes


def _default(value: object) -> str:
    return "–" if value in (None, (), [], {}) else str(value)
