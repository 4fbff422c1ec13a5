"""Generators of hostile configuration files: bombs of aliases, depth, keys, sets and patterns, odd bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a file is read as."""

    POLICY = "policy"
    WAIVERS = "waivers"
    CASES = "cases"
    METADATA = "metadata"


@dataclass(frozen=True, slots=True)
class HostileFile:
    """A file, and what it is read as."""

    kind: Kind
    content: bytes


YAML_KINDS = (Kind.POLICY, Kind.POLICY, Kind.WAIVERS, Kind.CASES)

POLICY = """version: 1
language: en
defaults: {mode: enforce, deadline: 60}
sets:
  base: {points: {commit-file: {checks: {code-review: {options: {severity: {MC-P04: warn}}}}}}}
extends: [base]
points:
  commit-table: {checks: {table-design: {options: {name_pattern: '^dwd_[a-z]+$'}}, release-window: {}}}
where:
  - {paths: ['tmp_*'], points: {commit-file: {checks: {code-review: {mode: warn}}}}}
workspaces: {93124: {points: {commit-file: {deadline: 30}}}}
console: [code-review.mode]
waivers: {max_days: 30, approvers: [data-council]}
"""
WAIVERS = """version: 1
waivers:
  - id: W-1
    rule: MC-*
    scope: {projects: [93124], files: ['dwd_*'], node_ids: [700123]}
    pattern: 'AccessKey'
    reason: known
    owner: a
    approver: b
    expires_at: 2026-12-01T18:00:00+08:00
"""
CASES = """cases:
  - name: one
    event: {code: commit-file, data: {fileName: a}}
    snapshot: {file: {content: SELECT 1, file_type: 10}}
    policy: {points: {commit-file: {checks: {code-review: {}}}}}
    expect: {verdict: OK}
"""
METADATA = '{"tables": {"p.t": {"partitions": {"ds": "STRING"}, "columns": {"id": "BIGINT"}, "size": 5}}}'
VALID = {Kind.POLICY: POLICY, Kind.WAIVERS: WAIVERS, Kind.CASES: CASES, Kind.METADATA: METADATA}
TOP = {Kind.POLICY: "points", Kind.WAIVERS: "waivers", Kind.CASES: "cases"}

PATTERNS = (
    "(a|a)*b",
    "(a|a)*$",
    "(a+)+$",
    "(a|aa)+$",
    "(?:a?){28}a{28}",
    r"\s*" * 8 + "x",
    "(.*)*" * 20,
    "((a{1,100}){1,100}){1,100}",
    "a{1000}" * 60,
    "(?:" * 200 + "a" + ")*" * 200,
    "|".join("abcdefgh"[i % 8] * (i % 20 + 1) for i in range(60)),
    r"(?=a)a",
    r"(?<!a)b",
    r"(a)\1",
    "(?P<n>a)(?P=n)",
    "a++",
    "(?>a+)b",
    "(",
    "[z-a]",
    "a{2,1}",
    "a{99999}",
    r"\p{Nope}",
    r"[[:nope:]]",
    "(?i)(a|b|ab)*c",
    "*",
    "\\",
    "(?P<1>a)",
    r"[\w\W]*" * 30,
    "😀+",
    "",
    "x" * 501,
    r"(\w+\s?)*!",
    r"[^a]*[^b]*[^c]*[^d]*[^e]*[^f]*[^g]*z",
)
NUMBERS = (
    "9" * 19,
    "-" + "9" * 19,
    "9" * 5000,
    "1.0e999",
    "-1.0e999",
    "1e5",
    "." + "9" * 5000,
    "0x" + "f" * 5000,
    "0o777",
    ".inf",
    ".nan",
    "1_000",
    "18446744073709551616",
    "1:1:1",
)
TAGS = (
    "!!python/object/apply:os.system ['true']",
    "!!python/name:os.system",
    "!!binary aGVsbG8=",
    "!!timestamp 2026-01-01",
    "!!set {a, b}",
    "!!omap [a: 1]",
    "!!int {}",
    "!!map []",
    "!!str [1]",
    "!!float x",
    "!!bool 1",
    "!!null 1",
    "!own {a: 1}",
    "!<tag:yaml.org,2002:python/object:x> {}",
    "! x",
    "!" + "x" * 5000 + " 1",
)
ODD = (
    "\x00",
    "\x07",
    "\x1b[2J",
    "\x85",
    "\u2028",
    "\u202e",
    "\ufeff",
    "\ufffe",
    "\U0010ffff",
    "\r",
    "\t",
    "😀",
    "a\u0301" * 300,
)


def _yaml(kind: Kind, text: str) -> HostileFile:
    return HostileFile(kind, text.encode("utf-8", "surrogatepass"))


def _placed(rng: random.Random, value: str) -> HostileFile:
    """Return a file with `value`, in flow style, at a place that expects something else."""
    kind = rng.choice(YAML_KINDS)
    places = {
        Kind.POLICY: (
            "version: {}",
            "version: 1\nlanguage: {}",
            "version: 1\ndefaults: {{deadline: {}}}",
            "version: 1\ndefaults: {{share: {}}}",
            "version: 1\npoints: {}",
            "version: 1\npoints: {{commit-file: {}}}",
            "version: 1\npoints: {{commit-file: {{checks: {}}}}}",
            "version: 1\npoints: {{commit-file: {{checks: {{code-review: {}}}}}}}",
            "version: 1\npoints: {{commit-file: {{checks: {{code-review: {{options: {}}}}}}}}}",
            "version: 1\npoints: {{run-file: {{checks: {{code-review: {{options: {{max_lookups: {}}}}}}}}}}}",
            "version: 1\npoints: {{backfill-data: {{checks: {{backfill-limits: {{options: {}}}}}}}}}",
            "version: 1\npoints: {{run-file: {{checks: {{release-window: {{options: {{closed: {}}}}}}}}}}}",
            "version: 1\nsets: {}",
            "version: 1\nextends: {}",
            "version: 1\nwhere: {}",
            "version: 1\nwhere: [{{paths: [{}], points: {{commit-file: {{}}}}}}]",
            "version: 1\nwhere: [{{types: [{}], points: {{commit-file: {{}}}}}}]",
            "version: 1\nworkspaces: {}",
            "version: 1\nworkspaces: {{{}: {{}}}}",
            "version: 1\nconsole: {}",
            "version: 1\nconsole: [{}]",
            "version: 1\nconsole: [{{setting: code-review.max_lookups, minimum: {}}}]",
            "version: 1\nconsole: [{{setting: code-review.mode, values: [{}]}}]",
            "version: 1\nwaivers: {{max_days: {}}}",
            "version: 1\nwaivers: {{approvers: {}}}",
        ),
        Kind.WAIVERS: (
            "version: 1\nwaivers: {}",
            "version: 1\nwaivers: [{}]",
            WAIVERS.replace("{", "{{").replace("}", "}}").replace("MC-*", "{}"),
            WAIVERS.replace("{", "{{").replace("}", "}}").replace("93124", "{}"),
            WAIVERS.replace("{", "{{").replace("}", "}}").replace("700123", "{}"),
            WAIVERS.replace("{", "{{").replace("}", "}}").replace("'dwd_*'", "{}"),
            WAIVERS.replace("{", "{{").replace("}", "}}").replace("W-1", "{}"),
            WAIVERS.replace("{", "{{").replace("}", "}}").replace("2026-12-01T18:00:00+08:00", "{}"),
        ),
        Kind.CASES: (
            "cases: {}",
            "cases: [{}]",
            CASES.replace("{", "{{").replace("}", "}}").replace("fileName: a", "fileName: {}"),
            CASES.replace("{", "{{").replace("}", "}}").replace("file_type: 10", "file_type: {}"),
            CASES.replace("{", "{{").replace("}", "}}").replace("SELECT 1", "{}"),
            CASES.replace("{", "{{").replace("}", "}}").replace("code-review: {{}}", "code-review: {}"),
            CASES.replace("{", "{{").replace("}", "}}").replace("verdict: OK", "tip: {}"),
            CASES.replace("{", "{{").replace("}", "}}").replace("expect:", "lookups: {}\n    expect:"),
        ),
    }
    return _yaml(kind, rng.choice(places[kind]).format(value) + "\n")


def alias_bomb(rng: random.Random) -> HostileFile:
    """Return a few lines that stand for up to 9^40 values."""
    kind, levels, width = rng.choice(YAML_KINDS), rng.randint(3, 40), rng.randint(2, 12)
    form = rng.choice(("[{}]", "{{{}}}"))
    lines = ["version: 1", "x0: &a0 [a, b, c]"]
    for level in range(1, levels):
        uses = [f"*a{level - 1}"] * width
        inner = ", ".join(uses if form == "[{}]" else [f"k{n}: {use}" for n, use in enumerate(uses)])
        lines.append(f"x{level}: &a{level} {form.format(inner)}")
    place = rng.choice(
        (f"{TOP[kind]}: *a{levels - 1}", f"{TOP[kind]}: {{}}", f"{TOP[kind]}: [*a{levels - 1}]")
    )
    return _yaml(kind, "\n".join((*lines, place)) + "\n")


def alias_chain(rng: random.Random) -> HostileFile:
    """Return aliases that contain one another: as a chain, deeper than the file shows, or as a circle."""
    kind, levels = rng.choice(YAML_KINDS), rng.choice((30, 45, 400, 3000))
    if rng.random() < 0.3:
        circle = rng.choice(("&a [*a]", "&a {b: &b [*a, *b]}", "&a {b: *a}", "[&a [1, [2, [*a]]]]"))
        return _yaml(kind, f"version: 1\n{TOP[kind]}: {circle}\n")
    lines = ["version: 1", "x0: &a0 [a]", *(f"x{n}: &a{n} [*a{n - 1}]" for n in range(1, levels))]
    return _yaml(kind, "\n".join((*lines, f"{TOP[kind]}: *a{levels - 1}")) + "\n")


def deep(rng: random.Random) -> HostileFile:
    """Return deep nesting, closed or not, in flow or block style."""
    kind, levels = rng.choice(YAML_KINDS), rng.choice((39, 45, 200, 2000, 20_000))
    opening, closing = rng.choice((("[", "]"), ("{a: ", "}"), ("[{a: ", "}]"), ("? [", "]")))
    closed = closing * levels if rng.random() < 0.5 else ""
    if rng.random() < 0.3:
        levels = min(levels, 1000)
        text = "".join(f"{' ' * level}a:\n" for level in range(levels)) + " " * levels + "b: 1"
        return _yaml(kind, f"version: 1\n{TOP[kind]}:\n" + "\n".join(f" {line}" for line in text.split("\n")))
    if rng.random() < 0.3:
        return _yaml(kind, "- " * levels + "a\n")
    return _yaml(kind, f"version: 1\n{TOP[kind]}: {opening * levels}1{closed}\n")


def numbers(rng: random.Random) -> HostileFile:
    """Return a number that is too large, or only looks like one."""
    return _placed(rng, rng.choice(NUMBERS))


def tags(rng: random.Random) -> HostileFile:
    """Return a value with a tag."""
    return _placed(rng, rng.choice(TAGS))


def odd_values(rng: random.Random) -> HostileFile:
    """Return a value of another type, or a very long one."""
    values = (
        "~",
        "[]",
        "{}",
        "[[]]",
        "true",
        "'x'",
        "''",
        "' '",
        f"'{'x' * rng.choice((1000, 300_000))}'",
        f"[{', '.join(['1'] * rng.choice((1000, 9000, 30_000)))}]",
        f"{{{', '.join(f'k{n}: 1' for n in range(rng.choice((1000, 9000, 30_000))))}}}",
        "{<<: {a: 1}}",
        "{<<: [{a: 1}, {b: 2}], a: 1, a: 2}",
        "{? {a: 1} : 2}",
        "{? [a, [b]] : 2}",
        "&x {a: 1}",
        "[&x 1, &x 2, *x]",
        "*undefined",
        "2026-12-01",
        "22:00",
        '"\\UFFFFFFFF"',
        '"\\ud800"',
        '"\\x00\\e[2J"',
        f"'{rng.choice(ODD)}'",
        "|\n  text",
        "@x",
        "%x",
        "`x`",
    )
    return _placed(rng, rng.choice(values))


def patterns(rng: random.Random) -> HostileFile:
    """Return a pattern that backtracks, is too large, or is invalid."""
    pattern = json.dumps(rng.choice(PATTERNS), ensure_ascii=rng.random() < 0.5)
    options = (
        f"points: {{commit-table: {{checks: {{table-design: {{options: {{name_pattern: {pattern}}}}}}}}}}}",
        f"points: {{run-file: {{checks: {{adhoc-writes: {{options: {{development: {pattern}}}}}}}}}}}",
        "points: {commit-file: {checks: {code-review: {options: {rules: {MC-N01: {patterns: {ods: "
        + pattern
        + "}}}}}}}}",
        "console: [table-design.name_pattern]",
        "console: [{setting: adhoc-writes.development, values: [" + pattern + "]}]",
        f"where: [{{paths: [{pattern}], points: {{commit-file: {{}}}}}}]",
    )
    if rng.random() < 0.4:
        return _yaml(Kind.WAIVERS, WAIVERS.replace("'AccessKey'", pattern))
    return _yaml(Kind.POLICY, f"version: 1\n{rng.choice(options)}\n")


def globs(rng: random.Random) -> HostileFile:
    """Return globs with many wildcards."""
    glob = rng.choice(("*a" * 90, "?*" * 90, "*" * 199, "*a" * 60 + "b", "a*" * 60 + "!", "[" * 90 + "*"))
    if rng.random() < 0.5:
        return _yaml(Kind.WAIVERS, WAIVERS.replace("dwd_*", glob).replace("MC-*", f"'{glob}'"))
    items = ", ".join(f"{{paths: ['{glob}{n}'], points: {{commit-file: {{}}}}}}" for n in range(500))
    return _yaml(Kind.POLICY, f"version: 1\nwhere: [{items}]\n")


def key_flood(rng: random.Random) -> HostileFile:
    """Return thousands of unknown or duplicate keys, some of them long."""
    kind, count = rng.choice(YAML_KINDS), rng.choice((500, 5000, 9900, 60_000))
    name = rng.choice(("k{}", "k", "commit-file{}", "x" * 50 + "{}", "{}"))
    keys = ", ".join(f"{name.format(n)}: {{}}" for n in range(count))
    place = rng.choice(
        (
            "points: {{{}}}",
            "sets: {{{}}}",
            "workspaces: {{{}}}",
            "points: {{commit-file: {{checks: {{{}}}}}}}",
            "points: {{commit-file: {{checks: {{code-review: {{options: {{{}}}}}}}}}}}",
            "points: {{commit-file: {{checks: {{code-review: {{options: {{severity: {{{}}}}}}}}}}}}}",
            "waivers: [{{{}}}]",
            "cases: [{{{}}}]",
            "{{{}}}",
        )
    )
    return _yaml(kind, f"version: 1\n{place.format(keys)}\n" if place != "{{{}}}" else f"{{{keys}}}\n")


def sets(rng: random.Random) -> HostileFile:
    """Return sets in a long chain, in circles, in a lattice, or all extending all."""
    count = rng.choice((30, 300, 3000))
    end = rng.choice((f"extends: [s{count - 1}]", "extends: [s0, nope]", "workspaces: {7: {extends: [s1]}}"))
    points = rng.choice(
        ("", ", points: {commit-file: {checks: {code-review: {}}}}", ", points: {commit-file: {}}")
    )
    match rng.randrange(5):
        case 0:
            items = [
                f"s{n}: {{extends: [s{n - 1}]{points}}}" if n else f"s0: {{extends: []{points}}}"
                for n in range(count)
            ]
        case 1:
            items = [f"s{n}: {{extends: [s{(n + 1) % count}]}}" for n in range(count)]
        case 2:
            count = min(count, 80)
            every = ", ".join(f"s{n}" for n in range(count))
            items, end = [f"s{n}: {{extends: [{every}]}}" for n in range(count)], "extends: [s1]"
        case 3:
            count = min(count, 1500)
            items = [f"s{n}: {{extends: [s{max(n - 1, 0)}, s{max(n - 2, 0)}]}}" for n in range(1, count)]
            items.append("s0: {}")
        case _:
            items = [f"s{n}: {{extends: [missing{n}]}}" for n in range(count)]
    return _yaml(Kind.POLICY, f"version: 1\nsets: {{{', '.join(items)}}}\n{end}\n")


def combinations(rng: random.Random) -> HostileFile:
    """Return many workspaces that each combine with many `where` entries and sets."""
    workspaces, where, chain = rng.choice(((1500, 1000, 1), (300, 300, 300), (20, 2000, 5), (2500, 5, 2)))
    point = "points: {commit-file: {checks: {code-review: {}}}}"
    if rng.random() < 0.5:
        options = ", ".join(f"MC-X{n}: warn" for n in range(300))
        point = (
            f"points: {{commit-file: {{checks: {{code-review: {{options: {{severity: {{{options}}}}}}}}}}}}}"
        )
        workspaces, where = workspaces // 20, where // 20
    chained = ", ".join(f"s{n}: {{extends: [s{n - 1}], {point}}}" for n in range(1, chain))
    lines = [
        "version: 1",
        f"sets: {{s0: {{}}, {chained}}}",
        f"extends: [s{chain - 1}]",
        "where:",
        *(f"  - {{paths: [a{n}], {point}}}" for n in range(where)),
        "workspaces:",
        *(f"  {n}: {{{point}}}" for n in range(workspaces)),
    ]
    return _yaml(Kind.POLICY, "\n".join(lines) + "\n")


def shared_parts(rng: random.Random) -> HostileFile:
    """Return one part that hundreds of aliases use."""
    count = rng.choice((50, 500, 3000))
    if rng.random() < 0.5:
        policy = "&p {points: {commit-file: {checks: {code-review: {options: {max_lookups: 3}}}}}}"
        uses = "".join(
            f"  - {{name: c{n}, event: {{code: commit-file}}, policy: *p, expect: {{verdict: OK}}}}\n"
            for n in range(count)
        )
        first = f"  - {{name: c, event: {{code: commit-file}}, policy: {policy}, expect: {{verdict: OK}}}}\n"
        return _yaml(Kind.CASES, f"cases:\n{first}{uses}")
    part = "&p {points: {commit-file: {checks: {code-review: {}, release-window: {}}}}}"
    uses = "".join(f"  {n}: *p\n" for n in range(1, count))
    return _yaml(Kind.POLICY, f"version: 1\nworkspaces:\n  0: {part}\n{uses}")


def waiver_flood(rng: random.Random) -> HostileFile:
    """Return many waivers: equal ids, far or odd expiries, many approvers."""
    count = rng.choice((20, 300, 1500))
    expiry = rng.choice(
        (
            "2026-12-01T18:00:00+08:00",
            "9999-12-31T23:59:59-14:00",
            "0001-01-01T00:00:00+14:00",
            "'２０２６-12-01T00:00:00Z'",
            "2026-12-01T24:00:00Z",
            "2026-12-01T00:00:00+99:99",
            "2026-W49-1T00:00:00Z",
            "'" + "9" * 5000 + "'",
        )
    )
    id_ = rng.choice(("W-1", "W-{}", "{}"))
    item = "  - {{id: '{}', rule: 'MC-*', reason: r, owner: a, approver: b, expires_at: {}}}\n"
    return _yaml(
        Kind.WAIVERS,
        "version: 1\nwaivers:\n" + "".join(item.format(id_.format(n), expiry) for n in range(count)),
    )


def bytes_and_encodings(rng: random.Random) -> HostileFile:
    """Return a valid file in another encoding, or with characters that no text has."""
    kind = rng.choice((*YAML_KINDS, Kind.METADATA))
    text = VALID[kind]
    at = rng.randrange(len(text))
    match rng.randrange(5):
        case 0:
            return HostileFile(kind, text.encode(rng.choice(("utf-16", "utf-32", "utf-16-be", "utf-7"))))
        case 1:
            return HostileFile(
                kind, text.encode()[:at] + bytes(rng.randrange(256) for _ in range(4)) + text.encode()[at:]
            )
        case 2:
            return _yaml(kind, text[:at] + rng.choice(ODD) + text[at:])
        case 3:
            return HostileFile(
                kind, bytes(rng.randrange(256) for _ in range(rng.choice((10, 1000, 100_000))))
            )
        case _:
            return HostileFile(
                kind,
                rng.choice(
                    (
                        b"",
                        b"\xef\xbb\xbf",
                        b"\n" * 100_000,
                        b" " * 500_000,
                        b"#" * 900_000,
                        b"\x00" * 900_000,
                        b"a" * 3_000_000,
                    )
                ),
            )


def documents(rng: random.Random) -> HostileFile:
    """Return several documents, directives, odd anchors, and unfinished values."""
    kind = rng.choice(YAML_KINDS)
    text = VALID[kind]
    forms = (
        f"---\n{text}---\n{text}",
        f"%YAML 1.1\n---\n{text}",
        f"%YAML 1.{'9' * 5000}\n---\n{text}",
        f"%YAML 3.0\n---\n{text}",
        f"%TAG ! tag:evil,2026:\n---\n{text}",
        f"%TAG ! !\n%TAG ! !\n---\n{text}",
        f"...\n{text}",
        f"{text}...\ngarbage: [",
        f'{text}x: "unfinished',
        f"{text}x: 'unfinished",
        f"{text}x: [a, {{b",
        f"{text}x: |9\n a\n",
        f"{text}x: >-\n{' ' * 50_000}a\n",
        f"{text}? " + "a" * 2000 + "\n: b\n",
        f"{text}" + "a" * 2000 + ": b\n",
        f"{text}\tx: 1\n",
        f"{text}x: a: b: c\n",
        f"{text}- x\n",
        f"{text}x: &{'a' * 100_000} 1\n",
        f"{text}x: *{'a' * 100_000}\n",
        text + 'x: "' + "\\n" * 50_000 + '"\n',
        f"{text}x: {'- ' * 20_000}a\n",
        f"{text}x: {'? ' * 20_000}a\n",
        "#" + "x" * 900_000,
        "a: b # " + "c" * 900_000,
        "{" * 20_000,
        "[" * 20_000,
        '"' + "\\u0041" * 100_000,
        "'" * 100_001,
        "!!" * 20_000,
        "&a " * 20_000,
        "a:\n" * 50_000,
        "- \n" * 50_000,
        ": " * 50_000,
        "{a: 1, " * 10_000,
        "x: " + "\n\n" * 200_000 + "y\n",
        "x: " + "a\n " * 100_000 + "\n",
    )
    return _yaml(kind, rng.choice(forms))


def mutations(rng: random.Random) -> HostileFile:
    """Return a valid file with random changes."""
    kind = rng.choice((*YAML_KINDS, Kind.METADATA))
    text = VALID[kind]
    for _ in range(rng.randint(1, 12)):
        begin = rng.randrange(len(text) + 1)
        end = min(len(text), begin + rng.choice((1, 1, 3, 20, 80)))
        match rng.randrange(4):
            case 0:
                text = text[:begin] + text[end:]
            case 1:
                text = text[:begin] + text[begin:end] * rng.choice((2, 5, 200)) + text[end:]
            case 2:
                text = text[:begin] + rng.choice("{}[]:,&*!|>'\"%@`#-?\n\t \\") + text[begin:]
            case _:
                other = rng.choice(tuple(VALID.values()))
                start = rng.randrange(len(other))
                text = text[:begin] + other[start : start + 60] + text[end:]
        text = text[:100_000]
    return _yaml(kind, text)


def metadata(rng: random.Random) -> HostileFile:
    """Return metadata of tables with floods, depth and numbers."""
    nested: Any = 1
    for _ in range(rng.choice((10, 500))):
        nested = {"a": nested}
    forms = (
        json.dumps({"tables": {f"t{n}": {} for n in range(60_000)}}),
        json.dumps({"tables": {f"t{n}": {"x": 1} for n in range(60_000)}}),
        json.dumps({f"k{n}": 1 for n in range(60_000)}),
        json.dumps({"tables": nested}),
        '{"tables": ' + "[" * 100_000,
        '{"tables": ' + '{"a":' * 100_000,
        '{"tables": {"t": {"size": ' + "9" * 5000 + "}}}",
        '{"tables": {"t": {"size": -1e999}}}',
        '{"tables": {"t": {"columns": {"\\ud800": "a"}}}}',
        '{"tables": {"t": NaN}}',
        '{"tables": {"": {}}}',
        "[]",
        "",
        "null",
    )
    return _yaml(Kind.METADATA, rng.choice(forms))


Generator = Callable[[random.Random], HostileFile]
GENERATORS: tuple[tuple[str, Generator], ...] = tuple(
    (generate.__name__, generate)
    for generate in (
        alias_bomb,
        alias_chain,
        deep,
        numbers,
        tags,
        odd_values,
        odd_values,
        patterns,
        patterns,
        globs,
        key_flood,
        sets,
        combinations,
        shared_parts,
        waiver_flood,
        bytes_and_encodings,
        documents,
        documents,
        mutations,
        mutations,
        metadata,
    )
)
