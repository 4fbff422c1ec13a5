"""`dwgate waivers`: lists, adds and expires waivers, and counts the findings they waive."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from common.config_files.errors import ConfigError, Problem
from common.ledger import AuditAction, AuditEntry, EventRecord
from common.settings import LedgerSettings, SettingsError, load_settings
from common.text.globs import first_match
from console import errors, time_option
from console.actor import current_actor
from console.exit_codes import UsageError
from console.ledger_access import open_ledger
from console.options import Json
from console.output import tables
from review.rules.external_rules import is_external
from review.rules.registry import BY_ID
from workers.checks import registry
from workers.checks.finding_ids import FINDING_IDS
from workers.policy import policy
from workers.waivers import editor, loader, notes
from workers.waivers.matching import DAY, Waivers, waiver_of
from workers.waivers.model import Waiver, WaiverRules

MAX_EVENTS = 20_000
"""Maximum number of events in a report, newest first."""

REPORT_DAYS = 7

LIST_COLUMNS = ("id", "waives", "scope", "owner", "approver", "expires", "state", "reason")
REPORT_COLUMNS = ("id", "findings", "events", "last", "owner", "ends", "state")
_RIGHT = frozenset({"findings", "events"})


@dataclass(slots=True)
class Tally:
    """What one waiver waived.

    Attributes:
        findings: number of findings.
        events: ids of their events.
        last: when the latest event was received, in seconds since the epoch; 0 for none.
    """

    findings: int = 0
    events: set[str] = field(default_factory=set)
    last: float = 0.0


File = Annotated[
    Path,
    typer.Option("--waivers", metavar="FILE", envvar="DWGATE_WAIVERS_FILE", help="The waivers file."),
]
Policy = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="FILE",
        envvar="DWGATE_POLICY_FILE",
        help="Policy with the limits on waivers; default: the built-in policy.",
    ),
]

app = typer.Typer(
    help="Waive findings for a limited time, and report their use.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command("list")
def list_command(
    *,
    file: File,
    policy: Policy = None,
    expired: Annotated[bool, typer.Option("--expired", help="Show expired waivers instead.")] = False,
    json: Json = False,
) -> None:
    """Show active waivers, the next to expire first."""
    raise typer.Exit(list_(file, policy, expired=expired, json=json))


@app.command("add")
def add_command(
    *,
    id_: Annotated[str, typer.Argument(metavar="ID", help="Id of the waiver, such as W-12.")],
    reason: Annotated[str, typer.Option(help="Why the finding is acceptable for now.")],
    owner: Annotated[str, typer.Option(help="Who is responsible for making it unnecessary.")],
    approver: Annotated[str, typer.Option(help="Who approved it.")],
    expires_at: Annotated[
        str, typer.Option(metavar="TIME", help="When it expires: 2026-12-01T18:00:00+08:00.")
    ],
    file: File,
    policy: Policy = None,
    rule: Annotated[str | None, typer.Option(help="Rule of the findings; * and ? are wildcards.")] = None,
    check: Annotated[str | None, typer.Option(help="Check of the findings; * and ? are wildcards.")] = None,
    project: Annotated[list[int] | None, typer.Option(help="Only in this workspace; repeatable.")] = None,
    point: Annotated[list[str] | None, typer.Option(help="Only at this extension point; repeatable.")] = None,
    file_id: Annotated[list[str] | None, typer.Option(help="Only the file with this id; repeatable.")] = None,
    node_id: Annotated[list[str] | None, typer.Option(help="Only the node with this id; repeatable.")] = None,
    table_id: Annotated[
        list[str] | None, typer.Option(help="Only this table, as odps.project.table; repeatable.")
    ] = None,
    files: Annotated[
        list[str] | None, typer.Option("--file", help="Only files with a matching name; repeatable.")
    ] = None,
    node: Annotated[
        list[str] | None, typer.Option(help="Only nodes with a matching name; repeatable.")
    ] = None,
    table: Annotated[
        list[str] | None, typer.Option(help="Only tables with a matching name; repeatable.")
    ] = None,
    fingerprint: Annotated[str | None, typer.Option(help="Only this finding.")] = None,
    pattern: Annotated[
        str | None, typer.Option(help="Only messages that match this regular expression.")
    ] = None,
) -> None:
    """Append a waiver to the file; keep everything else, comments included."""
    scope = {
        "projects": project,
        "points": point,
        "file_ids": file_id,
        "node_ids": node_id,
        "table_ids": table_id,
        "files": files,
        "nodes": node,
        "tables": table,
    }
    item = {
        "id": id_,
        "rule": rule,
        "check": check,
        "scope": {key: value for key, value in scope.items() if value},
        "fingerprint": fingerprint,
        "pattern": pattern,
        "reason": reason,
        "owner": owner,
        "approver": approver,
        "expires_at": expires_at,
    }
    raise typer.Exit(add(file, policy, {key: value for key, value in item.items() if value}))


@app.command("check")
def check_command(*, file: File, policy: Policy = None, json: Json = False) -> None:
    """Validate the file, and note waivers that cover more than they seem to."""
    raise typer.Exit(check(file, policy, json=json))


@app.command("expire")
def expire_command(
    *,
    id_: Annotated[str, typer.Argument(metavar="ID")],
    reason: Annotated[str, typer.Option(help="Why, for the audit trail.")],
    file: File,
    policy: Policy = None,
) -> None:
    """Expire a waiver now; change nothing else in the file."""
    if not reason.strip():
        raise typer.BadParameter("--reason: missing; expected why the waiver is expired")
    raise typer.Exit(expire(file, policy, id_, reason))


@app.command("report")
def report_command(
    *,
    file: File,
    policy: Policy = None,
    since: Annotated[
        float | None,
        typer.Option(
            parser=time_option.time_option,
            metavar="TIME",
            help="Events since: an age (7d, 2h, 30m) or an ISO date.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show how often each waiver was used, which were never used, and which expire soon."""
    raise typer.Exit(report(file, policy, since=since, json=json))


def list_(file: Path, policy_file: Path | None, *, expired: bool, json: bool) -> int:
    """Show active or expired waivers; return the exit code."""
    now = time.time()
    waivers = loader.load_waivers(file, _rules(policy_file), now)
    shown = sorted((item for item in waivers.items if item.is_active(now) is not expired), key=_ends)
    if json:
        tables.json({"waivers": [{**item.to_json(), "state": _state(item, waivers, now)} for item in shown]})
    else:
        rows = [_row(item, waivers, now) for item in shown]
        tables.show(tables.table(LIST_COLUMNS, rows))
    return 0


def check(file: Path, policy_file: Path | None, *, json: bool) -> int:
    """Validate the file and show notes about its active waivers; return the exit code.

    Raises:
        ConfigError: the file or the policy is invalid.
    """
    now = time.time()
    waivers = loader.load_waivers(file, _rules(policy_file), now)
    active = [item for item in waivers.items if item.is_active(now)]
    found = [(item.id, note) for item in active for note in notes.notes_on(item)]
    if json:
        tables.json(
            {
                "waivers": len(waivers.items),
                "active": len(active),
                "notes": [{"id": id_, "note": note} for id_, note in found],
            }
        )
        return 0
    print(f"{file} is valid: {len(waivers.items)} waivers, {len(active)} active")
    for id_, note in found:
        print(f"{id_}: {note}")
    return 0


def add(file: Path, policy_file: Path | None, item: dict[str, Any]) -> int:
    """Append a waiver to the file, which is created if missing; return the exit code."""
    now, rules = time.time(), _rules(policy_file)
    _require_known(item.get("rule"), item.get("check"))
    before = _read(file) if file.exists() else ""
    old = loader.parse_waivers(str(file), before.encode(), rules, now).items if before.strip() else ()
    text = editor.append_waiver(str(file), before, item)
    try:
        new = loader.parse_waivers(str(file), text.encode(), rules, now)
    except ConfigError as error:
        raise UsageError("\n".join(_not_added(each) for each in error.problems)) from None
    _require_unchanged(new.items[:-1] == old, file)
    _record(AuditAction.WAIVER_ADDED, item["id"], item["reason"], file, text)
    _write(file, text)
    print(f"{item['id']} is active until {_moment(new.items[-1])}")
    return 0


def expire(file: Path, policy_file: Path | None, id_: str, reason: str) -> int:
    """Set the expiry of a waiver to now; return the exit code: 1 if it is unknown or already expired."""
    now, rules = time.time(), _rules(policy_file)
    before = _read(file)
    old = loader.parse_waivers(str(file), before.encode(), rules, now)
    waiver = old.get(id_)
    if waiver is None:
        return errors.fail(f"unknown waiver {id_} in {file}")
    if not waiver.is_active(now):
        return errors.fail(f"{id_} expired at {_moment(waiver)}")
    text = editor.set_expiry(
        str(file), before, id_, datetime.fromtimestamp(int(now), waiver.expires_at.tzinfo)
    )
    new = loader.parse_waivers(str(file), text.encode(), rules, now)
    others = [item for item in old.items if item.id != id_]
    _require_unchanged([item for item in new.items if item.id != id_] == others, file)
    _record(AuditAction.WAIVER_EXPIRED, id_, reason, file, text)
    _write(file, text)
    print(f"{id_} is expired")
    return 0


def report(file: Path, policy_file: Path | None, *, since: float | None, json: bool) -> int:
    """Show how often each waiver was used on the events of the ledger; return the exit code."""
    now = time.time()
    waivers = loader.load_waivers(file, _rules(policy_file), now)
    settings = load_settings(LedgerSettings)
    ledger = open_ledger(settings)
    with errors.engine_errors("Redis", settings.redis_url):
        records = ledger.find(since=now - REPORT_DAYS * DAY if since is None else since, limit=MAX_EVENTS)
    lines = [report_row(id_, done, waivers, now) for id_, done in tally(records, waivers).items()]
    if json:
        tables.json({"events": len(records), "waivers": lines})
        return 0
    rows = [[line[column] for column in REPORT_COLUMNS] for line in lines]
    for row in rows:
        row[3] = tables.format_time(row[3])
    tables.show(tables.table(REPORT_COLUMNS, rows, right=_RIGHT))
    suffix = ", the newest" if len(records) == MAX_EVENTS else ""
    print(f"\nEvents examined: {len(records)}{suffix}.")
    return 0


def tally(records: Iterable[EventRecord], waivers: Waivers) -> dict[str, Tally]:
    """Return the use of each waiver by id, including waivers that are no longer in the file."""
    tallies = {item.id: Tally() for item in waivers.items}
    for record in records:
        ids = [
            id_
            for outcome in record.outcomes.values()
            for finding in outcome.findings
            if (id_ := waiver_of(finding))
        ]
        for id_ in ids:
            done = tallies.setdefault(id_, Tally())
            done.findings += 1
            done.events.add(record.event.message_id)
            done.last = max(done.last, record.event.received_at)
    return tallies


def report_row(id_: str, done: Tally, waivers: Waivers, now: float) -> Mapping[str, Any]:
    """Return one line of the report, as plain values."""
    waiver = waivers.get(id_)
    state = _state(waiver, waivers, now) if waiver else "no longer in the file"
    return {
        "id": id_,
        "findings": done.findings,
        "events": len(done.events),
        "last": done.last or None,
        "owner": waiver.owner if waiver else None,
        "ends": _moment(waiver) if waiver else None,
        "state": state if done.findings else f"{state}, never matched",
    }


def _rules(file: Path | None) -> WaiverRules:
    return policy.load_policy(file, registry.load_checks()).waivers


def _row(item: Waiver, waivers: Waivers, now: float) -> tuple[object, ...]:
    targets = [item.rule, item.check, item.fingerprint, item.pattern and f"/{item.pattern}/"]
    scope = item.scope.model_dump(exclude_defaults=True)
    scope_text = "; ".join(f"{key}: {', '.join(map(str, names))}" for key, names in scope.items())
    waives = " ".join(target for target in targets if target)
    state = _state(item, waivers, now)
    return (item.id, waives, scope_text, item.owner, item.approver, _moment(item), state, item.reason)


def _state(item: Waiver, waivers: Waivers, now: float) -> str:
    if not item.is_active(now):
        return "expired"
    if not waivers.expires_soon(item, now):
        return "active"
    days = int((item.expires_ts - now) // DAY)
    return f"expires in {days} day{'' if days == 1 else 's'}" if days else "expires within a day"


def _ends(item: Waiver) -> float:
    return item.expires_ts


def _moment(item: Waiver) -> str:
    return item.expires_at.isoformat(" ", "minutes")


def _not_added(problem: Problem) -> str:
    """Return a problem of the new waiver, without the leading `waivers` and its index."""
    return f"not added: {replace(problem, keys=problem.keys[2:]).text}"


def _require_known(rule: str | None, check: str | None) -> None:
    """Raise for a rule or check that matches no known name; ids of findings of plug-ins are not listed."""
    checks = registry.load_checks()
    has_plugin = not all(each.is_built_in for each in checks.values())
    is_listed = rule is not None and not is_external(rule) and (_is_review_rule(rule) or not has_plugin)
    for option, name, known in (
        ("--rule", rule if is_listed else None, {*BY_ID, *FINDING_IDS}),
        ("--check", check, checks),
    ):
        if name is not None and not any(first_match((name,), each) is not None for each in known):
            near = get_close_matches(name, known, n=3, cutoff=0) or sorted(known)
            raise UsageError(f"not added: {option} {name}: unknown; expected one such as {', '.join(near)}")


def _is_review_rule(rule: str) -> bool:
    """Whether a name begins like the id of a rule of the review."""
    prefixes = tuple({f"{id_.partition('-')[0]}-" for id_ in BY_ID})
    return rule.upper().startswith(prefixes)


def _require_unchanged(same: bool, file: Path) -> None:
    if not same:
        raise UsageError(f"{file}: other waivers would change too; edit the file by hand")


def _record(action: AuditAction, id_: str, reason: str, file: Path, text: str) -> None:
    """Record that `file` is about to become `text`; without settings of the ledger, print a note instead.

    Raises:
        EngineDown: Redis is unreachable; the file must not be changed without the entry.
    """
    try:
        settings = load_settings(LedgerSettings)
    except SettingsError:
        print(
            "dwgate: not recorded in the audit trail, since the settings of the ledger are incomplete; the"
            " workers record that the file changed",
            file=sys.stderr,
        )
        return
    ledger = open_ledger(settings)
    old = hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""
    new = hashlib.sha256(text.encode()).hexdigest()
    entry = AuditEntry(current_actor(), action, id_, reason, old, new)
    with errors.engine_errors("Redis", settings.redis_url):
        ledger.audit_trail.record(entry)


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}; expected a waivers file") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file}: not UTF-8 text") from None


def _write(file: Path, text: str) -> None:
    """Replace the file atomically: workers read either the old or the new text."""
    target = file.resolve()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        Path(name).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink()
        raise
