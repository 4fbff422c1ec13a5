"""Login by OpenID Connect: the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from common.errors import DwgateError

with warnings.catch_warnings():
    # Authlib announces that it will replace httpx one day. Its first module sets a filter that shows this.
    import authlib.deprecate  # type: ignore[import-untyped]  # noqa: F401

    warnings.simplefilter("ignore")
    from authlib.integrations.starlette_client import OAuth  # type: ignore[import-untyped]

CALL_SECONDS = 5.0
"""Timeout of a call of the provider."""

LOGIN_SECONDS = 600
"""Time in which a person has to log in at the provider."""

CALLBACK_PATH = "/login/oidc/callback"

_log = structlog.get_logger()


class LoginFailed(DwgateError):
    """The provider did not identify the person; the text is for them."""


class OidcLogin:
    """The login at one provider.

    Args:
        issuer: address of the provider, below which `/.well-known/openid-configuration` is.
        client_id: of dwgate at the provider.
        client_secret: of dwgate at the provider.
        claim: the claim with the user's name.
        console_url: address of the console, as browsers reach it.
    """

    def __init__(self, issuer: str, client_id: str, client_secret: str, claim: str, console_url: str) -> None:
        self._claim = claim
        self._callback = console_url.rstrip("/") + CALLBACK_PATH
        self._client: Any = OAuth().register(
            "provider",
            client_id=client_id,
            client_secret=client_secret,
            server_metadata_url=issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid profile email",
                "code_challenge_method": "S256",
                "timeout": CALL_SECONDS,
            },
        )

    async def start(self, request: Request) -> Response:
        """Return the redirection to the provider.

        Raises:
            LoginFailed: the provider cannot be reached.
        """
        try:
            response: Response = await self._client.authorize_redirect(request, self._callback)
        except Exception as error:  # noqa: BLE001 - every error is one of the provider or of the network
            _log.warning("oidc_failed", step="start", error=type(error).__name__)
            raise LoginFailed("the login service cannot be reached") from None
        return response

    async def finish(self, request: Request) -> str:
        """Return the name of the person whom the provider has identified.

        Raises:
            LoginFailed: it has not, or its answer is invalid.
        """
        try:
            token = await self._client.authorize_access_token(request)
            claims: Mapping[str, Any] = token["userinfo"]
        except Exception as error:  # noqa: BLE001 - as above; an altered answer raises one of many
            _log.warning("oidc_failed", step="finish", error=type(error).__name__)
            raise LoginFailed("the login service did not confirm the login") from None
        name = claims.get(self._claim)
        if not isinstance(name, str) or not name.strip():
            raise LoginFailed(f"the login service sent no {self._claim}")
        if self._claim == "email" and claims.get("email_verified") is False:
            raise LoginFailed("the login service has not verified the mail address")
        return name.strip()
