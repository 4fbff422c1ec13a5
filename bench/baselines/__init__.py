"""What dwgate is measured against: the usual way to build the same thing."""
