"""Rules about code that is hard to maintain (MC-M)."""
