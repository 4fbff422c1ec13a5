"""`dwgate policy`: whether a policy file is good, and what one may say."""

from __future__ import annotations

import sys
from pathlib import Path

from common.points import BY_CODE
from console import render
from console.ends import FAILED
from workers import policy
from workers.checks import registry
from workers.policy_file import PolicyError
from workers.policy_schema import schema as policy_schema


def check(file: Path | None) -> int:
    """Say whether a policy (without a file the built-in one) is good; return the exit code."""
    try:
        loaded = policy.load(file, registry.load())
    except PolicyError as error:
        print(error, file=sys.stderr)
        return FAILED
    print(f"policy {described(file, loaded)}")
    return 0


def schema() -> int:
    """Print the JSON schema of a policy file, for editors; return the exit code."""
    render.json(policy_schema(registry.load()))
    return 0


def described(file: Path | None, loaded: policy.Policy) -> str:
    """Return a good policy in a few words."""
    points = [loaded.resolve(code, None) for code in BY_CODE]
    checked = [point for point in points if point.checks]
    checks = {check.name for point in checked for check in point.checks}
    name = str(file) if file else "(built in)"
    return f"{name} is good: {len(checked)} points with {len(checks)} checks, version {loaded.version}"
