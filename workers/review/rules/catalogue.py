"""The registry of the built-in rules, ordered by family and id."""

from __future__ import annotations

from workers.review.rules.ambiguous_column import ambiguous_column
from workers.review.rules.append_insert import append_insert
from workers.review.rules.banned_function import banned_function
from workers.review.rules.cartesian_join import cartesian_join
from workers.review.rules.commented_code import commented_code
from workers.review.rules.costly_scan import costly_scan
from workers.review.rules.cross_project_write import cross_project_write
from workers.review.rules.definition_in_schedule import definition_in_schedule
from workers.review.rules.destructive_statement import destructive_statement
from workers.review.rules.di_all_columns import di_all_columns
from workers.review.rules.di_append import di_append
from workers.review.rules.di_credentials import di_credentials
from workers.review.rules.di_fixed_partition import di_fixed_partition
from workers.review.rules.di_invalid_job import di_invalid_job
from workers.review.rules.di_missing_partition import di_missing_partition
from workers.review.rules.di_no_error_limit import di_no_error_limit
from workers.review.rules.di_whole_table import di_whole_table
from workers.review.rules.dynamic_partition import dynamic_partition
from workers.review.rules.full_scan_allowed import full_scan_allowed
from workers.review.rules.function_change import function_change
from workers.review.rules.hard_coded_date import hard_coded_date
from workers.review.rules.heavy_query import heavy_query
from workers.review.rules.implicit_conversion import implicit_conversion
from workers.review.rules.insert_columns import insert_columns
from workers.review.rules.layer_order import layer_order
from workers.review.rules.long_node import long_node
from workers.review.rules.many_distinct_counts import many_distinct_counts
from workers.review.rules.misplaced_clause import misplaced_clause
from workers.review.rules.misplaced_hint import misplaced_hint
from workers.review.rules.missing_comment import missing_comment
from workers.review.rules.missing_header import missing_header
from workers.review.rules.missing_lifecycle import missing_lifecycle
from workers.review.rules.missing_partition_filter import missing_partition_filter
from workers.review.rules.missing_where import missing_where
from workers.review.rules.needless_distinct import needless_distinct
from workers.review.rules.not_in_null import not_in_null
from workers.review.rules.not_reviewed import not_reviewed
from workers.review.rules.order_without_limit import order_without_limit
from workers.review.rules.outer_join_nullified import outer_join_nullified
from workers.review.rules.overwrite_unpartitioned import overwrite_unpartitioned
from workers.review.rules.parameter_undefined import parameter_undefined
from workers.review.rules.partition_pruning_disabled import partition_pruning_disabled
from workers.review.rules.permission_change import permission_change
from workers.review.rules.python_access_key import python_access_key
from workers.review.rules.python_append import python_append
from workers.review.rules.python_destruction import python_destruction
from workers.review.rules.python_fixed_partition import python_fixed_partition
from workers.review.rules.python_missing_lifecycle import python_missing_lifecycle
from workers.review.rules.python_query_in_loop import python_query_in_loop
from workers.review.rules.python_sql_unread import python_sql_unread
from workers.review.rules.python_whole_table import python_whole_table
from workers.review.rules.redundant_work import redundant_work
from workers.review.rules.rule import Rule
from workers.review.rules.run_time_function import run_time_function
from workers.review.rules.secret_in_code import secret_in_code
from workers.review.rules.select_star import select_star
from workers.review.rules.self_overwrite import self_overwrite
from workers.review.rules.shell_errors_ignored import shell_errors_ignored
from workers.review.rules.shell_password import shell_password
from workers.review.rules.shell_sql_unread import shell_sql_unread
from workers.review.rules.shell_wide_deletion import shell_wide_deletion
from workers.review.rules.suppression_incomplete import suppression_incomplete
from workers.review.rules.suppression_unused import suppression_unused
from workers.review.rules.table_name import table_name
from workers.review.rules.undeclared_table import undeclared_table
from workers.review.rules.unmasked_column import unmasked_column
from workers.review.rules.unsafe_arithmetic import unsafe_arithmetic
from workers.review.rules.unstable_row_number import unstable_row_number
from workers.review.rules.wide_window import wide_window
from workers.review.rules.wrong_environment import wrong_environment

RULES = (
    append_insert,
    self_overwrite,
    cartesian_join,
    outer_join_nullified,
    not_in_null,
    implicit_conversion,
    hard_coded_date,
    parameter_undefined,
    banned_function,
    run_time_function,
    insert_columns,
    dynamic_partition,
    overwrite_unpartitioned,
    missing_where,
    ambiguous_column,
    unstable_row_number,
    unsafe_arithmetic,
    misplaced_clause,
    not_reviewed,
    missing_partition_filter,
    partition_pruning_disabled,
    wide_window,
    select_star,
    full_scan_allowed,
    order_without_limit,
    many_distinct_counts,
    needless_distinct,
    heavy_query,
    misplaced_hint,
    redundant_work,
    costly_scan,
    secret_in_code,
    destructive_statement,
    cross_project_write,
    wrong_environment,
    unmasked_column,
    permission_change,
    function_change,
    table_name,
    layer_order,
    missing_lifecycle,
    missing_comment,
    undeclared_table,
    definition_in_schedule,
    missing_header,
    commented_code,
    long_node,
    suppression_incomplete,
    suppression_unused,
    python_access_key,
    python_query_in_loop,
    python_whole_table,
    python_append,
    python_sql_unread,
    python_fixed_partition,
    python_destruction,
    python_missing_lifecycle,
    shell_password,
    shell_errors_ignored,
    shell_wide_deletion,
    shell_sql_unread,
    di_invalid_job,
    di_all_columns,
    di_append,
    di_no_error_limit,
    di_credentials,
    di_whole_table,
    di_fixed_partition,
    di_missing_partition,
)

BY_ID = {rule.id: rule for rule in RULES}
BY_NAME = {rule.name: rule for rule in RULES}

RENAMED_RULES = {
    "column-unclear": "ambiguous-column",
    "defeated-pruning": "partition-pruning-disabled",
    "destruction": "destructive-statement",
    "di-shape": "di-invalid-job",
    "foreign-write": "cross-project-write",
    "python-lifecycle": "python-missing-lifecycle",
    "wasted-work": "redundant-work",
}
"""Former names of rules, with the current ones."""


def rule_named(name: str) -> Rule | None:
    """Return the rule with the current or former name `name`; None if there is none."""
    return BY_NAME.get(RENAMED_RULES.get(name, name))
