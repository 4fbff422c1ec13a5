"""A package only so that tests can import `tests.engines`."""
