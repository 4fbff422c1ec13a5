"""The check `file-owner`: a committed file must have an owner."""

from collections.abc import Iterator

from dwgate.checks import Context, Finding, Options, Runs, Severity, check


class FileOwnerOptions(Options):
    """What a policy may set under `options`."""

    severity: Severity = Severity.WARN


@check("file-owner", points=("commit-file",), runs=Runs.INLINE, options=FileOwnerOptions, needs_snapshot=True)
def file_owner(context: Context) -> Iterator[Finding]:
    """Check whether a file has an owner."""
    file = context.snapshot.file
    if file and not file.owner:
        yield Finding(
            "FILE-OWNER", context.options.severity, f"{file.name} has no owner.", help="Set an owner."
        )
