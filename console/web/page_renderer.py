"""Renders templates: every value is escaped, every text of people is printable."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from common.text.i18n import Language
from console.web.display_text import display
from console.web.preferences import (
    COOKIE_SECONDS,
    LANGUAGE,
    THEME,
    Preferences,
    Theme,
    read_preferences,
)
from console.web.static_files import StaticFiles
from console.web.texts.catalogue import Catalogue

TEMPLATES = Path(__file__).with_name("templates")


class PageRenderer:
    """Renders the templates of `templates/`.

    Args:
        files: stylesheet, script and icon.
    """

    def __init__(self, files: StaticFiles) -> None:
        self._files = files

    @cached_property
    def _environment(self) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=display,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.filters["tabs"] = _expand_tabs
        environment.globals["static"] = self._files.address
        return environment

    def render(
        self,
        request: Request,
        template: str,
        catalogue: Catalogue,
        values: Mapping[str, Any],
        *,
        status: int = 200,
    ) -> HTMLResponse:
        """Return the page that `template` makes of `values`, in the language of the request.

        Args:
            request: the request.
            template: name of the template.
            catalogue: the texts of the page, with those of the layout; in the template `words`.
            values: further values of the template.
            status: HTTP status.
        """
        preferences = preferences_of(request)
        html = self.render_text(
            template,
            {
                **values,
                "words": catalogue.in_language(preferences.language),
                "language": preferences.language,
                "theme": preferences.theme,
                "switches": _switches(request, preferences.language),
            },
        )
        response = HTMLResponse(html, status)
        for name, value in preferences.cookies.items():
            response.set_cookie(
                name,
                value,
                max_age=COOKIE_SECONDS,
                httponly=True,
                samesite="lax",
                secure=request.url.scheme == "https",
            )
        return response

    def render_text(self, template: str, values: Mapping[str, Any]) -> str:
        """Return the text that `template` makes of `values`."""
        return self._environment.get_template(template).render(values)


def _expand_tabs(code: str) -> str:
    """Return code with spaces for tabs: they are not printable, and would become one space each."""
    return code.replace("\t", "    ")


def preferences_of(request: Request) -> Preferences:
    """Return the language and the theme of a request."""
    return read_preferences(request.query_params, request.cookies, request.headers.get("accept-language", ""))


def _switches(request: Request, language: Language) -> dict[str, str]:
    """Return the addresses of this page in the other language and in each theme."""
    other = Language.ENGLISH if language is Language.CHINESE else Language.CHINESE
    return {
        "language": _with(request, LANGUAGE, other.value),
        **{theme.value: _with(request, THEME, theme.value) for theme in Theme},
    }


def _with(request: Request, name: str, value: str) -> str:
    kept = [(key, held) for key, held in request.query_params.multi_items() if key != name]
    return f"?{urlencode([*kept, (name, value)])}"
