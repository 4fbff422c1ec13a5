"""The names of the clients that run SQL, as they stand in a command line, for shell and Python alike."""

from __future__ import annotations

import re

NAMED_CLIENT = re.compile(
    r"(?<![\w-])(?:odpscmd|hive|beeline|spark\d*-sql|mysql|psql|clickhouse(?:-client)?|presto|trino|impala-shell|sqoop|mariadb"
    r"|sqlplus|sqlcmd)(?![\w-])"
)
"""A client's name in a command."""
