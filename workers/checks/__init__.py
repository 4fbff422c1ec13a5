"""The questions asked about an event: one file a check. `registry` finds them, other packages' too."""
