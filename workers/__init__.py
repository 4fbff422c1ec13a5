"""Checks and verdicts: what happens to an event between the queue and the answer to DataWorks."""
