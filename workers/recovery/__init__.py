"""Finds events that were lost or not answered: watchdog, reconciler, backstop, recovery of reports."""
