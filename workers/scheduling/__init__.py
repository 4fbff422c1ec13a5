"""Fair scheduling of CPU checks: which of them run on the slow queue, and in which order."""
