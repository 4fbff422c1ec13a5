"""The public API of dwgate for authors of checks and review rules.

`dwgate.checks`: write a check. `dwgate.rules`: write a review rule. `dwgate.testing`: run both in tests.

Stability: the names in `__all__` of these modules are compatible within a minor version (0.x) and, from 1.0
on, within a major version. A name is removed no earlier than one minor version after the changelog announced
it. Everything else in the distribution may change at any time.
"""
