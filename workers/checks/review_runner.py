"""Runs the review engine on one node's code, with table metadata from DataWorks and a cache of results."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from functools import cache
from importlib.metadata import version
from typing import Any

import structlog

from common.processes import time_limits
from common.verdicts import Finding
from review.context import ReviewContext, TableMetadata
from review.dialects import Dialect
from review.engine import Review, run_review
from review.tables import scan_estimate
from workers.checks.api import LookupContext
from workers.dataworks.errors import DataWorksError, NotFound, Permanent
from workers.dataworks.models import TableInfo

LOOKUP_SECONDS = 4.0
"""Time limit for the lookups of one file's tables; tables not fetched by then stay unknown."""

_OPERATION = "code-review"
_ENGINE = version("dwgate")
_PLAIN = re.compile(r"[A-Za-z_][\w-]*(?:\.\w+)?", re.ASCII)
"""`table` or `project.table` without quotes and parameters: a name that can be looked up."""

_PARTS_OF_GUID = 2
_MAXCOMPUTE = frozenset({Dialect.MAXCOMPUTE, Dialect.PYTHON, Dialect.SHELL})


log = structlog.get_logger()

_estimator = cache(scan_estimate.load_estimator)


@dataclass(frozen=True, slots=True)
class ReviewRun:
    """A review of one node's code, in one language, under one policy.

    Attributes:
        unavailable_tables: tables whose lookup failed or was not made in time, with the reason.
    """

    dialect: Dialect
    review_context: ReviewContext
    context: LookupContext
    unavailable_tables: dict[str, str] = field(default_factory=dict)

    def __call__(self, code: str) -> Review:
        """Return the review, from the cache if code, policy and tables are unchanged.

        A review with gaps is not cached: the next one may have more time.
        """
        if (kept := self._cached(code)) is not None:
            return kept
        known: dict[str, TableMetadata] = {}

        def tables(names: frozenset[str]) -> Mapping[str, TableMetadata]:
            requested.update(names)
            known.update(self.tables(names))
            return known

        requested: set[str] = set()
        reviewed = run_review(
            code,
            self.dialect,
            replace(self.review_context, estimate=self._estimate(code)),
            self.context.options,
            tables=tables,
            language=self.context.language,
            fingerprint_key=self.context.fingerprint_key(),
        )
        if not reviewed.gaps:
            self._cache(code, requested, known, reviewed.findings)
        return reviewed

    def tables(self, names: frozenset[str]) -> dict[str, TableMetadata]:
        """Return the metadata of tables, within the limits of time and of lookups (`max_lookups`).

        If a lookup fails, the remaining tables stay unknown: rules then report less, and never guess. A table
        that DataWorks refuses to describe hides no other one, since the author chooses the tables.
        """
        lookups, known = self.context.lookups, dict[str, TableMetadata]()
        if self.dialect not in _MAXCOMPUTE:
            return known
        until = time.monotonic() + LOOKUP_SECONDS
        guids = {name: guid for name in sorted(names) if (guid := self._guid(name))}
        max_lookups = self.context.options.max_lookups
        left = dict(list(guids.items())[:max_lookups])
        if max_lookups:  # 0: the policy wants none
            self.unavailable_tables.update(dict.fromkeys(list(guids)[max_lookups:], "max_lookups"))
        if left:
            lookups.begin(lambda ask, guid: ask.table_info(guid), left.values())
        for name, guid in list(left.items()):
            if time.monotonic() > until:
                self.unavailable_tables.update(dict.fromkeys(left, "time"))
                break
            try:
                known[name.lower()] = _table(lookups.table_info(guid))
            except NotFound:
                pass
            except Permanent as error:
                self.unavailable_tables[name] = f"{error.action}: {error.code}"
            except DataWorksError as error:
                self.unavailable_tables.update(dict.fromkeys(left, f"{error.action}: {error.code}"))
                break
            del left[name]
        return known

    def _estimate(self, code: str) -> int | None:
        estimator = _estimator()
        if estimator is None or self.dialect is not Dialect.MAXCOMPUTE:
            return None
        try:
            with time_limits.suspended():  # it queries the engine
                return estimator(code, self.review_context.project)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a plug-in's code; without an estimate the review reports less
            log.warning("scan_estimate_failed", error=type(error).__name__)
            return None

    def _guid(self, name: str) -> str | None:
        if not _PLAIN.fullmatch(name):
            return None
        if "." in name:
            return f"odps.{name.lower()}"
        return f"odps.{self.review_context.project}.{name.lower()}" if self.review_context.project else None

    def _cached(self, code: str) -> Review | None:
        answers = self.context.result_cache
        kept = answers.get(_OPERATION, self._key(code)) if answers else None
        if not kept or kept["tables"] != _digest(self.tables(frozenset(kept["names"]))):
            return None
        return Review(tuple(Finding.from_json(item) for item in kept["findings"]))

    def _cache(
        self, code: str, names: set[str], tables: Mapping[str, TableMetadata], findings: tuple[Finding, ...]
    ) -> None:
        if self.context.result_cache:
            value = {
                "names": sorted(names),
                "tables": _digest(tables),
                "findings": [finding.to_json() for finding in findings],
            }
            self.context.result_cache.put(_OPERATION, self._key(code), value)

    def _key(self, code: str) -> Mapping[str, str | int]:
        policy = self.context.options.model_dump(mode="json")
        inputs = [self.review_context.project, asdict(self.review_context.node)]
        return {
            "code": hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest(),
            "dialect": self.dialect.value,
            "inputs": _digest(inputs),
            "policy": _digest(policy),
            "language": self.context.language.value,
            "engine": _ENGINE,
            # Digests with another key cannot be compared.
            "key": hmac.new(self.context.fingerprint_key() or b"", b"cache", "sha256").hexdigest(),
        }


def _table(info: TableInfo) -> TableMetadata:
    partitions = {column.name.lower(): column.type for column in info.columns if column.partition}
    columns = {column.name.lower(): column.type for column in info.columns if not column.partition}
    keys = tuple(column.name.lower() for column in info.columns if column.key)
    return TableMetadata(partitions=partitions, columns=columns, keys=keys, size=info.size)


def _digest(value: Any) -> str:
    # The standard library's JSON: DataWorks may return numbers and characters that orjson rejects.
    text = json.dumps(value, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    return dict(value)
