"""Validates what a worker is configured with, once at its start, in a process that has everything loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from multiprocessing.connection import Connection

import structlog

from common import clock, tracing
from common.errors import DwgateError
from review.parsing.self_test import run_self_test
from review.rules.registry import INSTALLED
from workers.checks import registry
from workers.policy.policy import Policy, load_policy
from workers.settings import WorkerSettings
from workers.waivers.loader import load_waivers

log = structlog.get_logger()


def validate(settings: WorkerSettings, policy: Policy | None) -> None:
    """Load checks, policy and waivers; log problems of plug-ins, which do not keep a worker from running.

    Args:
        settings: of the worker.
        policy: as it was read; None if it was invalid.

    Raises:
        common.tracing.recorder.TracingUnusable: traces cannot be exported as an OTEL_… variable says.
        common.config_files.errors.ConfigError: the policy file or the waivers file is invalid.
        review.parsing.self_test.ParserUnusable: SQL cannot be parsed here.
    """
    tracing.configure(settings.trace_ratio, "worker")
    checks = registry.load_checks()
    for problem in (*registry.problems(), *INSTALLED.problems):
        log.error("plugin_invalid", **asdict(problem))
    policy = policy or load_policy(settings.policy_file, checks)
    if settings.waivers_file:
        load_waivers(settings.waivers_file, policy.waivers, clock.now())
    run_self_test()


def send_validation(
    settings: WorkerSettings,
    policy: Policy | None,
    answers: Connection,
    check_access: Callable[[WorkerSettings], None],
) -> None:
    """Check the access to the engines, validate, and send the error, or None."""
    try:
        check_access(settings)
        validate(settings, policy)
    except DwgateError as error:
        answers.send(error)
    else:
        answers.send(None)
