"""Signs requests as EventBridge does, independently of the code under test."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from functools import cache

import orjson
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

TARGET = "https://gate.example.com/events"
TOKEN = "made-up-token-0123456789"
ACCOUNT = "1107550004250001"
CERTIFICATE = "https://cn-shanghai-eventbridge.oss-accelerate.aliyuncs.com/x509_public_certificate_1.pem"
NOW = 1_790_000_000.0


def private_key(name: str = "eventbridge") -> rsa.RSAPrivateKey:
    """Return the key of `name`; it is generated once per test session."""
    return _generated(name)


@cache
def _generated(_: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def certificate_pem(start: datetime = datetime(2026, 1, 1, tzinfo=UTC), days: int = 3650) -> bytes:
    """Return a self-signed certificate of the default key that is valid for `days` from `start`."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "made up")])
    builder = x509.CertificateBuilder(
        name, name, private_key().public_key(), 1, start, start + timedelta(days=days)
    )
    return builder.sign(private_key(), SHA256()).public_bytes(Encoding.PEM)


def envelope(**changes: object) -> bytes:
    """Return a commit-file event as DataWorks sends it; a change to None removes the field."""
    fields: dict[str, object] = {
        "datacontenttype": "application/json;charset=utf-8",
        "aliyunaccountid": ACCOUNT,
        "aliyunpublishtime": "2026-03-02T10:10:00.194PRC",
        "data": {
            "fileName": "dwd_order_di",
            "blockBusiness": True,
            "operator": "1923456789012735",
            "eventCode": "commit-file",
            "projectId": 93124,
        },
        "id": "539fd8f4-4ea1-4625-aa8b-6c9066740001",
        "source": "acs.dataworks",
        "specversion": "1.0",
        "subject": "",
        "time": "2026-03-02T10:09:59.117Z",
        "type": "dataworks:FileChange:CommitFile",
    }
    fields.update(changes)
    return orjson.dumps({name: value for name, value in fields.items() if value is not None})


def _text(lines: dict[str, str], body: bytes, target: str, *, newline: bool) -> bytes:
    head = "".join(f"{name}: {value}\n" for name, value in lines.items())
    return f"{target}\n{head}".encode() + body + (b"\n" if newline else b"")


def sign(
    body: bytes,
    *,
    at: float = NOW,
    token: str = TOKEN,
    target: str = TARGET,
    certificate: str = CERTIFICATE,
    key: str = "eventbridge",
    newline: bool = False,
    unsigned: str = "",
) -> dict[str, str]:
    """Return the headers of a version 2 request; the line of the header `unsigned` is not signed."""
    lines = {
        "x-eventbridge-signature-timestamp": str(int(at * 1000)),
        "x-eventbridge-hash-method": "SHA256",
        "x-eventbridge-signature-version": "1.0",
        "x-eventbridge-signature-url": certificate,
        "x-eventbridge-signature-token": token,
    }
    signed = {name: value for name, value in lines.items() if name != unsigned}
    text = _text(signed, body, target, newline=newline)
    signature = private_key(key).sign(text, padding.PKCS1v15(), SHA256())
    return {**lines, "x-eventbridge-signature-v2": base64.b64encode(signature).decode()}
