"""A small OpenID Connect provider on loopback: it logs in whom the test names, without a question."""

from __future__ import annotations

import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "dwgate"
CLIENT_SECRET = "provider-secret"


class OidcProvider:
    """The provider.

    Attributes:
        claims: further claims of the next ID token.
        key: the key that signs ID tokens; the one that is published stays the first.
    """

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.key = self._published = RSAKey.generate_key(2048, parameters={"kid": "k1"}, auto_kid=False)
        self.codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def issuer(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, values: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of the answer to a request."""
        if path == "/.well-known/openid-configuration":
            return _json(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/jwks",
                    "id_token_signing_alg_values_supported": ["RS256"],
                }
            )
        if path == "/jwks":
            return _json({"keys": [self._published.as_dict(private=False)]})
        if path == "/authorize":
            code = secrets.token_hex(8)
            self.codes[code] = values
            location = f"{values['redirect_uri']}?{urlencode({'code': code, 'state': values['state']})}"
            return 302, {"location": location}, b""
        request = self.codes.pop(values.get("code", ""), None)
        if path != "/token" or request is None or "code_verifier" not in values:
            return 400, {}, b"{}"
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "1",
            "iat": now,
            "exp": now + 60,
            "nonce": request["nonce"],
            **self.claims,
        }
        token = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key)
        return _json({"access_token": "a", "token_type": "Bearer", "id_token": token})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                self._send(provider.answer(parts.path, _flat(parts.query)))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                self._send(provider.answer(self.path, _flat(body)))

            def _send(self, answer: tuple[int, dict[str, str], bytes]) -> None:
                status, headers, body = answer
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _json(value: object) -> tuple[int, dict[str, str], bytes]:
    return 200, {"content-type": "application/json"}, json.dumps(value).encode()


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
