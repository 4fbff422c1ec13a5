"""A package only so that tests can import `tests.support.engines`."""
