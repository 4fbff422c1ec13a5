"""The review rule ACME-C01: tables whose names start with `dev_` are not for scheduled nodes."""

from collections.abc import Iterator

from dwgate.rules import SQL, Hit, Options, RuleContext, Severity, Text, rule


class DevTableOptions(Options):
    """What a policy may set for the rule."""

    prefix: str = "dev_"


@rule(
    "ACME-C01",
    "dev-table-read",
    Severity.WARN,
    dialects=SQL,
    options=DevTableOptions,
    fix=Text("Read the production table instead.", "请改为读取生产表。"),
)
def dev_table_read(subject: RuleContext, options: DevTableOptions) -> Iterator[Hit]:
    """A scheduled node reads a development table.

    Development tables are dropped without notice. Reports each row source whose table name starts with the
    option `prefix`.
    """
    for statement in subject.script.statements:
        for block in statement.blocks:
            for source in block.sources:
                if source.table.rpartition(".")[2].lower().startswith(options.prefix):
                    yield Hit(
                        source.at,
                        Text(
                            f"Reads the development table {source.table}.", f"读取了开发表 {source.table}。"
                        ),
                        key=source.table.lower(),
                    )
