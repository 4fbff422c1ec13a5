"""What every page for operators and administrators has: navigation, the user, forms with their token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from console.access.gate import CSRF_FIELD, Forbidden, Gate, Identity
from console.access.users import Login, Role
from console.web.ledger_reader import LedgerReader
from console.web.page_renderer import PageRenderer, preferences_of
from console.web.texts.catalogue import Catalogue, Words

_PAGES = (
    ("now", "/", Role.OPERATOR),
    ("events", "/events", Role.VIEWER),
    ("report", "/report", Role.ADMINISTRATOR),
    ("policy", "/policy", Role.ADMINISTRATOR),
    ("waivers", "/waivers", Role.OPERATOR),
)


@dataclass(frozen=True, slots=True)
class ConsolePages:
    """What the pages share.

    Attributes:
        gate: identifies users.
        reader: reads the ledger.
        renderer: renders templates.
    """

    gate: Gate
    reader: LedgerReader
    renderer: PageRenderer

    def render(
        self,
        request: Request,
        identity: Identity | None,
        template: str,
        catalogue: Catalogue,
        values: Mapping[str, Any],
        *,
        page: str = "",
        status: int = 200,
    ) -> HTMLResponse:
        """Return a page with the navigation of the user.

        Args:
            request: the request.
            identity: who makes it; None for nobody.
            template: name of the template.
            catalogue: the texts of the page.
            values: further values of the template.
            page: the current one of the navigation.
            status: HTTP status.
        """
        shared = {
            "pages": [
                (name, path) for name, path, role in _PAGES if identity and identity.user.role.includes(role)
            ],
            "page": page,
            "user": identity.user if identity else None,
            "can_log_out": bool(identity and identity.user.login in (Login.PASSWORD, Login.OIDC)),
            "csrf_field": CSRF_FIELD,
            "form_token": identity.form_token if identity else "",
        }
        return self.renderer.render(request, template, catalogue, {**shared, **values}, status=status)


def words_of(request: Request, catalogue: Catalogue) -> Words:
    """Return the texts of a page in the language of a request."""
    return catalogue.in_language(preferences_of(request).language)


def visible_projects(identity: Identity, wanted: tuple[int, ...]) -> tuple[int, ...]:
    """Return the workspaces to which a search is limited; empty for all.

    Raises:
        Forbidden: the user may not see one that they want, or may see none.
    """
    allowed = identity.user.workspaces
    if allowed is None:
        return wanted
    for project in wanted:
        if project not in allowed:
            raise Forbidden(f"workspace {project}")
    if not allowed:
        raise Forbidden("a workspace")
    return wanted or tuple(sorted(allowed))
