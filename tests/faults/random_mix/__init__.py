"""A random mix of faults against a real fleet: drawn from a seed, and every promise checked at the end."""
