"""Finds secrets in a text of any language, by their form and by the words before them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from review.dialects import Dialect
from review.facts import Span


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret: its span, and its kind."""

    at: Span
    en: str
    zh: str


def find_secrets(code: str, dialect: Dialect) -> Iterator[Secret]:
    """Yield the secrets in `code`, comments included; each position once, unordered.

    Parameters, lookups, placeholders (`${pw}`, `%s`, `<password>`, `xxx`) and column names are not secrets.
    """
    reported = bytearray(len(code))
    lower = _lower(code)
    for secret in (*_standalone(code, lower), *_assigned(code, lower, dialect)):
        # One secret may match several kinds: the first one reports it.
        begin, end = secret.at
        if not any(reported[begin:end]):
            reported[begin:end] = b"x" * (end - begin)
            yield secret


@dataclass(frozen=True, slots=True)
class _SecretPattern:
    """A secret recognized by its own form, or by the words around it.

    Attributes:
        en: its name in English messages.
        needs: words, one of which occurs in every text with such a secret; a fast check before the pattern.
        pattern: matches it; the group `secret` is the secret itself.
        is_after: whether what must precede the match does; it is given the code and the match's offset.
    """

    en: str
    zh: str
    needs: tuple[str, ...]
    pattern: re.Pattern[str]
    is_after: Callable[[str, int], bool] = lambda _code, _begin: True


def _kind(
    name: tuple[str, str],
    needs: str,
    pattern: str,
    is_after: Callable[[str, int], bool] = lambda _code, _begin: True,
) -> _SecretPattern:
    return _SecretPattern(*name, tuple(needs.split()), re.compile(pattern, re.IGNORECASE), is_after)


_COMMENT_MARK = re.compile("(?<![-#/])(?:--|#|//)")


def _in_comment(code: str, begin: int) -> bool:
    """Whether a comment starts on the same line, at most 100 characters before `begin`."""
    first = max(code.rfind("\n", max(0, begin - 102), begin) + 1, begin - 102, 0)
    return _COMMENT_MARK.search(code, first, begin) is not None


def _in_url(code: str, begin: int) -> bool:
    """Whether a URL starts at most 500 characters before `begin`, without quotes or blanks in between."""
    before = code[max(0, begin - 505) : begin]
    if not before or before[-1].isspace():
        return False
    url = before.split()[-1].replace('"', "'").rpartition("'")[2]
    return "://" in url[:-1] or "jdbc:" in url[:-1].lower()


@dataclass(frozen=True, slots=True)
class _AssignmentPattern:
    """A value that is assigned to something named like a secret.

    Attributes:
        name: the end of such a name.
        value: the text after the sign; the group `secret` is the secret itself.
        signs: the allowed signs between name and value.
        compared: whether in SQL it may also be a column that is compared with a value.
        hash: whether a value that looks like a hash is a secret too.
        in_shell: whether it applies only to shell.
    """

    en: str
    zh: str
    name: re.Pattern[str]
    value: re.Pattern[str]
    signs: tuple[str, ...] = (":=", "=>", "=", ":")
    compared: bool = False
    hash: bool = True
    in_shell: bool = False


_ACCESS_KEY_ID = ("An AccessKey id", "AccessKey ID")
_ACCESS_KEY_SECRET = ("An AccessKey secret", "AccessKey Secret")
_KEY = ("A key or token", "密钥或令牌")
_TOKEN = ("A token", "令牌")
_PASSWORD = ("A password", "密码")
_URL_PASSWORD = ("A password in a URL", "URL 中的密码")
_URL_TOKEN = ("A token in a URL", "URL 中的令牌")

_PASSWORD_SET = "password= pwd="  # noqa: S105 - names, not a password
_PASSWORD_WORDS = "password pwd accountkey account key sharedaccesskey"  # noqa: S105 - names, not a password
_CONNECTION_KEY = (
    r"(?:host(?:name)?|server(?:name)?|address|user(?:[ _]?(?:id|name))?|uid|db(?:name)?|database(?:name)?"
    r"|data\s?source|initial\s?catalog|dsn|provider|driver|port|account\s?name)"
)
"""Keys of connection strings. Source: `SqlConnection.ConnectionString` of ADO.NET, and ODBC."""

_KINDS = (
    _kind(
        ("A private key", "私钥"), "private", r"(?P<secret>-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----)"
    ),
    _kind(_ACCESS_KEY_ID, "ltai", r"(?-i:(?<![A-Za-z0-9])(?P<secret>LTAI[A-Za-z0-9]{12,26})(?![A-Za-z0-9]))"),
    _kind(
        ("A security token", "STS 令牌"), "sts.", r"(?-i:(?<![A-Za-z0-9])(?P<secret>STS\.[A-Za-z0-9]{20,}))"
    ),
    _kind(
        _KEY,
        "akia asia ghp_ gho_ ghs_ ghu_ glpat- xoxb- aiza",
        r"(?-i:(?<![A-Za-z0-9])(?P<secret>A[KS]IA[0-9A-Z]{16}|gh[opsu]_[A-Za-z0-9]{36}|glpat-[\w-]{20}"
        r"|xoxb-[\w-]{20,}|AIza[\w-]{35})(?![A-Za-z0-9]))",
    ),
    _kind(_KEY, "sk-", r"(?-i:(?<![\w-])(?P<secret>sk-(?=[A-Za-z]*\d)[A-Za-z0-9]{20,})(?![\w-]))"),
    _kind(_TOKEN, "bearer", r"\bbearer\s+(?P<secret>(?=[\w.~+/-]*\d)[\w.~+/-]{20,}=*)"),
    _kind(_URL_PASSWORD, "://", r"://(?<=[a-z0-9]://)[^\s:/@'\"]{0,100}:(?P<secret>[^\s:/@'\"]{3,100})@"),
    _kind(
        _URL_PASSWORD,
        _PASSWORD_SET,
        r"[?&;](?:password|pwd)=(?P<secret>[^\s&;'\"]{3,100})",
        _in_url,
    ),
    _kind(_URL_PASSWORD, "jdbc:oracle", r"jdbc:oracle:thin:[^\s/@'\"]{1,60}/(?P<secret>[^\s/@'\"]{3,100})@"),
    _kind(_URL_TOKEN, "token", r"://[^\s'\"?]{1,300}\?[^\s'\"]{0,300}?token=(?P<secret>[^\s&'\"]{12,})"),
    _kind(
        _URL_TOKEN,
        "webhook /hook/",
        r"://[^\s'\"]{1,100}/(?:webhook/send\?key=|bot/v\d/hook/)(?P<secret>[0-9a-f-]{32,40})",
    ),
    _kind(
        _PASSWORD,
        _PASSWORD_SET,
        # Within one string only: arguments of a call (`user=user, password=password`) contain commas.
        r"\b(?:host|server|user|uid|dbname|database)\s?=[^'\",()\n]{1,200}?\b(?:password|pwd)="
        r"(?P<secret>[^\s'\";&(),]{4,100})",
    ),
    _kind(
        _PASSWORD,
        _PASSWORD_WORDS,
        # ADO.NET, ODBC and JDBC allow blanks around `=`; a semicolon ends each part.
        rf"\b{_CONNECTION_KEY}\s{{0,2}}=\s{{0,2}}[^'\"\n;]{{1,100}};(?:[^'\"\n]{{0,200}};)?\s{{0,2}}"
        rf"(?:password|pwd|account\s?key|shared\s?access\s?key)\s{{0,2}}=\s{{0,2}}(?P<secret>[^\s'\";]{{4,100}})",
    ),
    _kind(
        _PASSWORD,
        _PASSWORD_WORDS,
        rf"\b(?:password|pwd)\s{{0,2}}=\s{{0,2}}(?P<secret>[^\s'\";]{{4,100}});\s{{0,2}}{_CONNECTION_KEY}\s{{0,2}}=",
    ),
    _kind(
        _PASSWORD,
        "password",
        # libpq allows blanks around `=`, and blanks separate the parts.
        r"\b(?:host|hostaddr|port|dbname)\s{1,2}=\s{1,2}[^\s'\";=,]{1,100}\s"
        r"(?:\w{1,20}\s{1,2}=\s{1,2}[^\s'\";=,]{1,100}\s){0,8}?password\s{1,2}=\s{1,2}"
        r"(?P<secret>[^\s'\";&(),]{4,100})",
    ),
    _kind(
        _PASSWORD,
        "pymysql mysqldb mysql.connector",
        r"\b(?:pymysql|mysqldb|mysql\.connector)\.connect\(\s*(?:['\"][^'\"\n]{0,200}['\"]\s*,\s*){2}"
        r"(?P<q>['\"])(?P<secret>[^'\"\s]{4,100})(?P=q)",
    ),
    _kind(
        _KEY,
        "environ getenv",
        r"\b(?:environ\.get|getenv)\(\s*['\"]\w*(?:key|secret|token|password|passwd|pwd)['\"]\s*,\s*"
        r"(?P<q>['\"])(?P<secret>[^'\"\s]{6,200})(?P=q)",
    ),
    _kind(
        _PASSWORD,
        "password passwd pwd 密码 口令",
        r"(?:password|passwd|pwd|密码|口令)\s*[:：=]\s*"
        r"(?P<secret>(?-i:(?=[!-~]{0,100}\d)(?=[!-~]{0,100}[A-Z])(?=[!-~]{0,100}[a-z]))[!#-&(-~]{6,100})",
        _in_comment,
    ),
    _kind(_PASSWORD, "identified", r"\bidentified\s+by\s+(?P<q>['\"])(?P<secret>[^'\"\s]{3,200})(?P=q)"),
    _kind(
        _PASSWORD,
        "mysql",
        r"\b(?:mysql|mysqldump|mysqladmin)\b[^\n;|]{0,200}?\s(?-i:-p)['\"]?(?P<secret>[^\s'\"$][^\s'\"]{3,100})",
    ),
    _kind(
        _PASSWORD,
        "beeline sshpass",
        r"\b(?:beeline|sshpass)\b[^\n;|]{0,200}?\s(?-i:-p)\s*['\"]?(?P<secret>(?!assword)[^\s'\"$][^\s'\"]{3,100})",
    ),
    _kind(
        _PASSWORD,
        "redis-cli",
        r"\bredis-cli\b[^\n;|]{0,200}?\s-a\s+['\"]?(?P<secret>[^\s'\"$-][^\s'\"]{3,100})",
    ),
    _kind(
        _PASSWORD,
        "curl wget",
        r"\bcurl\b[^\n;|]{0,200}?\s(?-i:-u)\s*['\"]?[^\s:'\"$]{1,60}:(?P<secret>[^\s'\"$]{4,100})",
    ),
    _kind(_PASSWORD, "--password", r"\s--password[= ]['\"]?(?P<secret>[^\s'\"=$-][^\s'\"]{3,100})"),
)

_BLANK = " "
"""The sign if only blanks separate a name and its value."""
_KEY_NAME = (
    r"(?:(?:access|secret|api)[_.-]?(?:access[_.-]?)?key(?:[_.-]?secret)?|(?:access|client|app)[_.-]?secret"
    r"|(?:auth|access|session|security)[_.-]?token)"
)
_PASSWORD_NAME = r"(?:passw(?:or|r|o)?d|pwd|passphrase)"  # noqa: S105 - a name, not a password
_PASS = r"(?<![a-z])(?:pass|pw)"  # noqa: S105 - a name, not a password
_ASSIGNMENT = re.compile(
    rf"(?P<word>key|secret|token|{_PASSWORD_NAME}|pass|pw)['\"`]?\]?(?:\s*(?P<sign>:=|=>|=|:)\s*|(?P<blank>\s+)(?=['\"]))"
)
"""The end of a name like that of a secret, up to the start of its value."""


def _named(name: str) -> re.Pattern[str]:
    return re.compile(rf"{name}\Z", re.IGNORECASE)


_NAMED = (
    _AssignmentPattern(
        *_KEY,
        _named(_KEY_NAME),
        re.compile(r"(?P<q>['\"])(?P<secret>[^'\"\s]{8,200})(?P=q)"),
        compared=True,
    ),
    _AssignmentPattern(
        *_PASSWORD,
        _named(_PASSWORD_NAME),
        re.compile(r"(?P<q>['\"])(?P<secret>[^'\"\s]{4,200})(?P=q)"),
        compared=True,
        hash=False,
    ),
    _AssignmentPattern(
        *_PASSWORD,
        _named(_PASSWORD_NAME),
        re.compile(r"(?<==)(?P<secret>[^\s'\"$`/~.(<;|&=][^\s'\"$`;|&)]{3,100})"),
        signs=("=",),
        hash=False,
        in_shell=True,
    ),
    _AssignmentPattern(
        *("A key or password", "密钥或密码"),
        _named(rf"(?:{_KEY_NAME}|{_PASSWORD_NAME})"),
        re.compile(
            r"(?P<secret>(?=[\w+/=-]{0,200}\d)(?=[\w+/=-]{0,200}[A-Z])(?=[\w+/=-]{0,200}[a-z])[\w+/=-]{16,200})"
            r"(?![\w.(\[])"
        ),
        signs=("=",),
    ),
    _AssignmentPattern(
        *_KEY,
        _named("(?:token|secret)"),
        re.compile(
            r"(?P<q>['\"])(?P<secret>(?=[^'\"]{0,200}?[A-Za-z])(?=(?:[^\d'\"]{0,200}\d){3})[\w.~+/=-]{16,200})(?P=q)"
        ),
        compared=True,
    ),
    _AssignmentPattern(
        *_PASSWORD,
        _named(_PASS),
        re.compile(
            r"(?P<q>['\"])(?P<secret>(?=[^'\"]{0,200}?\d)(?=[^'\"]{0,200}?[A-Za-z])[^'\"\s]{6,200})(?P=q)"
        ),
        compared=True,
        hash=False,
    ),
    _AssignmentPattern(
        *_PASSWORD,
        _named(_PASS),
        re.compile(
            r"(?<==)(?P<secret>(?=[\w@!#%^*+-]{0,100}\d)(?=[\w@!#%^*+-]{0,100}[A-Za-z])[\w@!#%^*+-]{6,100})(?![\w/.(])"
        ),
        signs=("=",),
        hash=False,
        in_shell=True,
    ),
    # `WITH PASSWORD '…'`, `OPTIONS (password '…')`: a word of only letters may be an alias or a text.
    _AssignmentPattern(
        *("A key or password", "密钥或密码"),
        _named(rf"(?:{_KEY_NAME}|{_PASSWORD_NAME})"),
        re.compile(r"(?P<q>['\"])(?P<secret>(?=[A-Za-z_]{0,200}[!#-&(-@\[-^`{-~])[!#-&(-~]{4,200})(?P=q)"),
        signs=(_BLANK,),
        hash=False,
    ),
)

_NEAR = 200
"""Characters before and after an AccessKey ID within which its secret is searched."""
_BEFORE = 60
"""Characters before a name that are searched for signs of a comparison."""
_MAX_NAME_LENGTH = 30
_SECRET_OF_KEY = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9]{30}(?![A-Za-z0-9+/_=-])")
"""An AccessKey secret: exactly 30 letters and digits, which alone is too common to report."""

_PLACEHOLDER = re.compile(
    r"\$\{|\$\[|\$\w|\{\{|#\{|<%|^@+[\w.-]+@+$|^ENC\(|^(?:vault|env|file|kms|ssm|secret|keyring):|^arn:aws:|^\{\w*\}$|^<.*>$|%\(?\w|x{3}|\*{3}|\.{3}|^\W+$|your|example|change_?me|placeholder|dummy",
    re.IGNORECASE,
)
"""Text that marks a value as a parameter, a template or an example."""
_NO_SECRET = re.compile(
    r"\[?(?:null|none|true|false|unknown|required|optional|always|never|prompt|enabled|disabled|expired|hidden"
    r"|masked|redacted|omitted|string|varchar|secret|secret_?key|passw(?:or)?d|pwd|user(?:_?name)?"
    r"|access_?s*_?key(?:_?(?:id|secret))?)\]?",
    re.IGNORECASE,
)
"""Values that are a keyword, a type or a name, not a secret."""
_SETTING = re.compile(
    r"(?:^|[^a-z])(?:allow|ask|change|check|clear|confirm|disable|enable|expire|force|forgot|generate|has|hide|is"
    r"|keep|lock|mask|need|needs|no|on|prompt|remember|require|requires|reset|rotate|save|set|show|skip|store|sync"
    r"|update|use|validate|verify|with|without)[_\s-]?(?:for[_-])?\Z",
    re.IGNORECASE,
)
"""A verb before the end of a name: the name is that of a setting, `update_password: on_create`."""
_WORDS = re.compile(r"[A-Za-z]+(?:[_-][A-Za-z]+)*")
_HASH = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})", re.IGNORECASE)
_COMPARED = re.compile(r"\b(?:where|and|or|on|when|having|if|not)\s+[\w.(`]*$", re.IGNORECASE)
"""Text before a column that is compared in a condition."""


def _lower(code: str) -> str:
    """Return `code` in lower case, with every character at the same offset."""
    lower = code.lower()
    if len(lower) == len(code):
        return lower
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in code)


def _standalone(code: str, lower: str) -> Iterator[Secret]:
    for kind in _KINDS:
        if not any(word in lower for word in kind.needs):
            continue
        for match in kind.pattern.finditer(code):
            if kind.is_after(code, match.start()) and not _is_placeholder(match["secret"]):
                yield Secret(Span(*match.span("secret")), kind.en, kind.zh)
                if kind.en == _ACCESS_KEY_ID[0]:
                    yield from _beside(code, match)


def _beside(code: str, key: re.Match[str]) -> Iterator[Secret]:
    for match in _SECRET_OF_KEY.finditer(code, max(0, key.start() - _NEAR), key.end() + _NEAR):
        if not _is_placeholder(match[0]) and match.start() != key.start():
            yield Secret(Span(*match.span()), *_ACCESS_KEY_SECRET)


def _assigned(code: str, lower: str, dialect: Dialect) -> Iterator[Secret]:
    for sign in _ASSIGNMENT.finditer(lower):
        for kind in _NAMED:
            if (sign["sign"] or _BLANK) not in kind.signs or (kind.in_shell and dialect is not Dialect.SHELL):
                continue
            value = kind.value.match(code, sign.end())
            if value is None:
                continue
            name = kind.name.search(code, max(0, sign.start() - _MAX_NAME_LENGTH), sign.end("word"))
            if (
                name
                and _is_secret(code, kind, name.start(), value["secret"], dialect)
                and not _is_own_name(code, name.end(), value["secret"])
            ):
                yield Secret(Span(*value.span("secret")), kind.en, kind.zh)


def _is_own_name(code: str, end: int, value: str) -> bool:
    """Whether a value is the name that it is assigned to, by which the secret is looked up elsewhere.

    It may have the version of the service: `SHOP_API_KEY = "shop_api_key_v2"`.
    """
    name = _ASSIGNED_NAME.search(code, max(0, end - _MAX_NAME_LENGTH), end)
    if name is None or "_" not in name[0].strip("_"):
        return False
    rest = value.lower().replace("-", "_").removeprefix(name[0].lower())
    return rest != value.lower().replace("-", "_") and _VERSION.fullmatch(rest) is not None


_ASSIGNED_NAME = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z_]\w*\Z")
_VERSION = re.compile(r"(?:_?v\d+(?:\.\d+)*)?")


def _is_secret(code: str, kind: _AssignmentPattern, begin: int, secret: str, dialect: Dialect) -> bool:
    if _is_placeholder(secret) or (not kind.hash and _HASH.fullmatch(secret)):
        return False
    if _SETTING.search(code, max(0, begin - _BEFORE), begin) and _WORDS.fullmatch(secret):
        return False
    before = code[max(0, begin - _BEFORE) : begin]
    return not (kind.compared and dialect.sql and _COMPARED.search(before))


def _is_placeholder(secret: str) -> bool:
    """Whether a text is only a stand-in for a secret: a parameter, a placeholder, or a word used in docs."""
    return _PLACEHOLDER.search(secret) is not None or _NO_SECRET.fullmatch(secret) is not None
