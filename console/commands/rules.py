"""`dwgate rules`: lists the rules of the code review, and shows their pages."""

from __future__ import annotations

import inspect
import sys
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from common.text.i18n import Language
from console import language_option
from console.exit_codes import UsageError
from console.options import LanguageName
from console.output import tables
from review import rule_docs
from review.report import describe_rule
from review.rules import external_rules
from review.rules.registry import BUILT_IN, BY_ID, BY_NAME, RULES, rule_named

COLUMNS = ("rule", "name", "severity", "what")
FORMATS = ("text", "json")


app = typer.Typer(add_completion=False)


@app.command()
def command(
    *,
    rule: Annotated[str | None, typer.Argument(metavar="[ID]", help="A rule's id or name.")] = None,
    language: LanguageName = None,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="text or json.")] = "text",
    write: Annotated[Path | None, typer.Option(file_okay=False, hidden=True)] = None,
) -> None:
    """List the review's rules, or show one rule's page."""
    raise typer.Exit(run(rule, language, format_, write))


def run(name: str | None, language: str | None, shape: str, folder: Path | None) -> int:
    """Show one rule, or all of them, or write the pages of all rules to `folder`; return the exit code."""
    if shape not in FORMATS:
        raise UsageError(f"--format {shape}: expected one of {', '.join(FORMATS)}")
    if folder is not None:
        return _write(folder)
    if name is None:
        return _list(language_option.language_named(language), json=shape == "json")
    return _show(name, language_option.language_named(language), json=shape == "json")


def _list(language: Language, *, json: bool) -> int:
    rows = [
        (rule.id, rule.name, rule.severity.value, describe_rule(rule.id, language).title)
        for rule in sorted(RULES, key=lambda rule: rule.id)
    ]
    if json:
        tables.json({"rules": [dict(zip(COLUMNS, row, strict=True)) for row in rows]})
    else:
        tables.show(tables.table(COLUMNS, rows))
    return 0


def _show(name: str, language: Language, *, json: bool) -> int:
    rule = BY_ID.get(name.upper()) or BY_NAME.get(name.lower())
    if rule is None:
        return _show_external(name, language, json=json)
    page = rule_docs.render_page(rule, language) if rule in BUILT_IN else inspect.cleandoc(rule.docs)
    if json:
        description = asdict(describe_rule(rule.id, language))
        tables.json({"rule": rule.id, "severity": rule.severity.value, **description, "page": page})
    elif sys.stdout.isatty():
        from rich.markdown import Markdown  # noqa: PLC0415 - only a terminal needs it

        tables.console().print(Markdown(page))
    else:
        print(page)
    return 0


def _write(folder: Path) -> int:
    files = rule_docs.build_pages()
    for path in folder.rglob("*.md"):
        if str(path.relative_to(folder)) not in files:
            path.unlink()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


def _show_external(name: str, language: Language, *, json: bool) -> int:
    url = external_rules.docs_url(name)
    if url is None:
        raise UsageError(f"unknown rule {name}; {_suggestion(name)}")
    if json:
        tables.json({"rule": name, **asdict(describe_rule(name, language))})
    else:
        print(url)
    return 0


def _suggestion(name: str) -> str:
    renamed = rule_named(name.lower())
    if renamed is not None:
        return f"it is now {renamed.name} ({renamed.id})"
    near = get_close_matches(name.upper(), BY_ID, n=1)
    return f"did you mean {near[0]}?" if near else "dwgate rules lists them"
