"""The questions asked about an event: one file a check. `registry` finds them, also those of other packages."""
