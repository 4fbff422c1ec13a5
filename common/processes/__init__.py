"""Processes of the operating system: their limits, their end, and running code in one of its own."""
