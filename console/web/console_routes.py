"""The routes of the pages for operators and administrators, and of the login."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.routing import BaseRoute, Mount, Route

from common.config_files.reloading import ReloadableFile
from console.access.gate import AccessRules, Gate
from console.access.oidc import LOGIN_SECONDS, OidcLogin
from console.access.proxy import TrustedProxy
from console.access.users_file import Users, parse_users
from console.requeues import Requeuer
from console.web.config_files import ConfigFiles
from console.web.ledger_reader import LedgerReader
from console.web.pages.console_page import ConsolePages
from console.web.pages.event_list_page import EventListPage
from console.web.pages.login_pages import LoginPages
from console.web.pages.policy_pages import PolicyPages
from console.web.pages.report_page import ReportPage
from console.web.pages.requeue_pages import RequeuePages
from console.web.pages.status_page import StatusPage
from console.web.pages.waivers_page import WaiversPage
from console.web.settings import ConsoleSettings
from workers.celery_app import create_app
from workers.services import Services

_LOGIN_COOKIE = "dwgate_login"


def create_gate(settings: ConsoleSettings, reader: LedgerReader) -> Gate:
    """Return what identifies the users of the console."""
    users = _watch_users(settings)
    is_secure = (settings.console_url or "").startswith("https:")
    proxy = TrustedProxy(settings.trusted_networks, settings.console_proxy_header)
    rules = AccessRules(users, is_open=settings.console_open, proxy=proxy, is_secure=is_secure)

    async def key() -> bytes:
        if settings.console_key:
            return settings.console_key.get_secret_value().encode()
        return await reader.read(lambda ledger: ledger.console_key.ensure())

    return Gate(rules, key)


def console_routes(settings: ConsoleSettings, pages: ConsolePages) -> list[BaseRoute]:
    """Return the routes; those below `/events/` come before the ones of single events."""
    files = ConfigFiles(settings)
    login = LoginPages(pages, _provider(settings))
    requeue = RequeuePages(pages, Requeuer(Services(settings, create_app(settings))))
    policy = PolicyPages(pages, files)
    return [
        Route("/", StatusPage(pages, settings, files).show),
        Route("/events", EventListPage(pages).show),
        Route("/events/requeue", requeue.confirm, methods=["GET"]),
        Route("/events/requeue", requeue.submit, methods=["POST"]),
        Route("/events/requeue/done", requeue.done),
        Route("/report", ReportPage(pages, settings.event_days).show),
        Route("/policy", policy.show, methods=["GET"]),
        Route("/policy", policy.replay, methods=["POST"]),
        Route("/policy/replays/{id}", policy.show_replay),
        Route("/waivers", WaiversPage(pages, files).show),
        Route("/login", login.show, methods=["GET"]),
        Route("/login", login.submit, methods=["POST"]),
        Route("/logout", login.log_out, methods=["POST"]),
        Mount(
            "/login/oidc",
            routes=[Route("/callback", login.finish_oidc), Route("/start", login.start_oidc)],
            middleware=[_login_state(settings)],
        ),
    ]


def _watch_users(settings: ConsoleSettings) -> Callable[[], Users] | None:
    if settings.console_users_file is None:
        return None
    file = ReloadableFile(
        settings.console_users_file, parse_users, name="console users", report=lambda _: None
    )
    return lambda: file.value


def _provider(settings: ConsoleSettings) -> OidcLogin | None:
    if settings.console_oidc_issuer is None:
        return None
    assert settings.console_oidc_client_secret  # noqa: S101 - the settings check both
    assert settings.console_url  # noqa: S101
    return OidcLogin(
        settings.console_oidc_issuer,
        settings.console_oidc_client_id,
        settings.console_oidc_client_secret.get_secret_value(),
        settings.console_oidc_claim,
        settings.console_url,
    )


def _login_state(settings: ConsoleSettings) -> Middleware:
    """Return what keeps the state of a login at the provider, in a signed cookie of the browser."""
    key = settings.console_key.get_secret_value() if settings.console_key else secrets.token_hex()
    return Middleware(
        SessionMiddleware,
        secret_key=key,
        session_cookie=_LOGIN_COOKIE,
        max_age=LOGIN_SECONDS,
        path="/login/oidc",
        same_site="lax",
        https_only=(settings.console_url or "").startswith("https:"),
    )
