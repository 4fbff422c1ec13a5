"""The registry of the built-in rules, ordered by family and id."""

from __future__ import annotations

from common.config_files import former_names
from review.rules.api import Rule
from review.rules.correctness.ambiguous_column import ambiguous_column
from review.rules.correctness.append_insert import append_insert
from review.rules.correctness.banned_function import banned_function
from review.rules.correctness.cartesian_join import cartesian_join
from review.rules.correctness.dynamic_partition import dynamic_partition
from review.rules.correctness.hard_coded_date import hard_coded_date
from review.rules.correctness.implicit_conversion import implicit_conversion
from review.rules.correctness.insert_columns import insert_columns
from review.rules.correctness.misplaced_clause import misplaced_clause
from review.rules.correctness.missing_where import missing_where
from review.rules.correctness.not_in_null import not_in_null
from review.rules.correctness.not_reviewed import not_reviewed
from review.rules.correctness.outer_join_nullified import outer_join_nullified
from review.rules.correctness.overwrite_unpartitioned import overwrite_unpartitioned
from review.rules.correctness.parameter_undefined import parameter_undefined
from review.rules.correctness.run_time_function import run_time_function
from review.rules.correctness.self_overwrite import self_overwrite
from review.rules.correctness.unsafe_arithmetic import unsafe_arithmetic
from review.rules.correctness.unstable_row_number import unstable_row_number
from review.rules.cost.costly_scan import costly_scan
from review.rules.cost.full_scan_allowed import full_scan_allowed
from review.rules.cost.heavy_query import heavy_query
from review.rules.cost.many_distinct_counts import many_distinct_counts
from review.rules.cost.misplaced_hint import misplaced_hint
from review.rules.cost.missing_partition_filter import missing_partition_filter
from review.rules.cost.needless_distinct import needless_distinct
from review.rules.cost.order_without_limit import order_without_limit
from review.rules.cost.partition_pruning_disabled import partition_pruning_disabled
from review.rules.cost.redundant_work import redundant_work
from review.rules.cost.select_star import select_star
from review.rules.cost.wide_window import wide_window
from review.rules.data_integration.di_all_columns import di_all_columns
from review.rules.data_integration.di_append import di_append
from review.rules.data_integration.di_credentials import di_credentials
from review.rules.data_integration.di_fixed_partition import di_fixed_partition
from review.rules.data_integration.di_invalid_job import di_invalid_job
from review.rules.data_integration.di_missing_partition import di_missing_partition
from review.rules.data_integration.di_no_error_limit import di_no_error_limit
from review.rules.data_integration.di_whole_table import di_whole_table
from review.rules.external_rules import is_external
from review.rules.maintainability.commented_code import commented_code
from review.rules.maintainability.long_node import long_node
from review.rules.maintainability.missing_header import missing_header
from review.rules.naming.definition_in_schedule import definition_in_schedule
from review.rules.naming.layer_order import layer_order
from review.rules.naming.missing_comment import missing_comment
from review.rules.naming.missing_lifecycle import missing_lifecycle
from review.rules.naming.table_name import table_name
from review.rules.naming.undeclared_table import undeclared_table
from review.rules.plugins import load_rules
from review.rules.python.python_access_key import python_access_key
from review.rules.python.python_append import python_append
from review.rules.python.python_destruction import python_destruction
from review.rules.python.python_fixed_partition import python_fixed_partition
from review.rules.python.python_missing_lifecycle import python_missing_lifecycle
from review.rules.python.python_query_in_loop import python_query_in_loop
from review.rules.python.python_sql_unread import python_sql_unread
from review.rules.python.python_whole_table import python_whole_table
from review.rules.security.cross_project_write import cross_project_write
from review.rules.security.destructive_statement import destructive_statement
from review.rules.security.function_change import function_change
from review.rules.security.permission_change import permission_change
from review.rules.security.secret_in_code import secret_in_code
from review.rules.security.unmasked_column import unmasked_column
from review.rules.security.wrong_environment import wrong_environment
from review.rules.shell.shell_errors_ignored import shell_errors_ignored
from review.rules.shell.shell_password import shell_password
from review.rules.shell.shell_sql_unread import shell_sql_unread
from review.rules.shell.shell_wide_deletion import shell_wide_deletion
from review.rules.suppressions.suppression_incomplete import suppression_incomplete
from review.rules.suppressions.suppression_refused import suppression_refused
from review.rules.suppressions.suppression_unused import suppression_unused

BUILT_IN = (
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
    suppression_refused,
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

INSTALLED = load_rules({text for rule in BUILT_IN for text in (rule.id, rule.name)})
"""Rules of installed packages, and the problems of those that cannot be used."""

RULES = (*BUILT_IN, *INSTALLED.rules)

BY_ID = {rule.id: rule for rule in RULES}
BY_NAME = {rule.name: rule for rule in RULES}


def is_known_rule(rule: str) -> bool:
    """Whether `rule` is the id of a rule, here or at an external linter; those of squawk in any case."""
    return rule in BY_ID or is_external(rule) or is_external(f"{rule[:3]}{rule[3:].lower()}")


def rule_named(name: str) -> Rule | None:
    """Return the rule with the current or former name `name`; None if there is none."""
    return BY_NAME.get(former_names.RULES.get(name, name))
