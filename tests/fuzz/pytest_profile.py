"""The Hypothesis profile of `make fuzz`; loaded with `-p tests.fuzz.pytest_profile`."""

from hypothesis import settings

settings.register_profile("fuzz", max_examples=20_000, deadline=None)
