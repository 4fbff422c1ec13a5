"""How workers use the broker: publishing within a time limit, and what happens while it takes no messages."""
