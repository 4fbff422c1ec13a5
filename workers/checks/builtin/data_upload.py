"""The check `data-upload`."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.text import globs
from common.text.i18n import Text
from common.verdicts import Finding, Severity, SubjectKind
from workers.checks import event_fields, limits
from workers.checks.api import Context, Options, Runs
from workers.checks.finding_builders import build_finding
from workers.checks.not_checked import invalid_event, missing_field
from workers.checks.registry import check
from workers.checks.subjects import named_subjects


class DataUploadOptions(Options):
    """Options of `data-upload`."""

    forbidden_targets: tuple[globs.Glob, ...] = Field(
        default=(), description="tables, * for any text, that may not be uploaded to: odps.shop.ads_*"
    )
    allow_overwrite: bool = Field(
        default=True, strict=True, description="whether an existing table may be overwritten"
    )
    max_bytes: limits.Limit = Field(
        default=None, description="bytes above which it blocks; any number if null"
    )


@check("data-upload", points=("upload-data-to-table",), runs=Runs.INLINE, options=DataUploadOptions)
def data_upload(context: Context) -> Iterator[Finding]:
    """Check what is uploaded to which table, and whether it replaces existing data.

    Why: a file that replaces a production table changes every report below it, and no code shows it.

    Options:
        forbidden_targets: tables, by pattern (`odps.shop.ads_*`), that may not be uploaded to; default: none.
        allow_overwrite: whether an existing table may be overwritten; true if not set.
        max_bytes: bytes above which it blocks; any number if not set.
    """
    options: DataUploadOptions = context.options
    try:
        table = event_fields.text_or_int(context.event.data, "tableGuid")
        yield from _target_finding(context, table, options.forbidden_targets)
        if not options.allow_overwrite:
            yield from _overwrite_finding(context, table)
        yield from _size_finding(context, options.max_bytes)
    except event_fields.InvalidField as error:
        yield invalid_event(context, error)


def _target_finding(context: Context, table: str, forbidden: tuple[str, ...]) -> Iterator[Finding]:
    if forbidden and not table:
        yield missing_field(context, "tableGuid")
    elif glob := globs.first_match(forbidden, table):
        yield build_finding(
            context,
            "upload-target",
            Severity.BLOCK,
            Text(
                f"Uploads to {table} are not allowed: the policy forbids {glob}.",
                f"不允许上传到 {table}：策略禁止 {glob}。",
            ),
            Text(
                "Upload to a table of your own, and load it from there with a node.",
                "请上传到自己的表，再由节点读取。",
            ),
            subjects=named_subjects(SubjectKind.PATTERN, glob),
        )


def _overwrite_finding(context: Context, table: str) -> Iterator[Finding]:
    """Yield a block if rows of an existing table would be lost; a table created by the upload has none."""
    write_type = event_fields.text_or_int(context.event.data, "writeType").upper()
    creates_table = event_fields.text_or_int(context.event.data, "optTableType").upper() == "CREATE"
    if not write_type and not creates_table:
        yield missing_field(context, "writeType")
    elif write_type == "OVERWRITE" and not creates_table:
        name = table or "?"
        yield build_finding(
            context,
            "upload-overwrite",
            Severity.BLOCK,
            Text(f"The upload would overwrite the data of {name}.", f"上传会覆盖 {name} 的数据。"),
            Text("Append, or upload to a new table.", "请改为追加，或上传到新表。"),
        )


def _size_finding(context: Context, limit: int | None) -> Iterator[Finding]:
    what = Text("The upload has {count} bytes", "本次上传共 {count} 字节")
    yield from limits.size_above_limit(context, "upload-bytes", limit, what)
