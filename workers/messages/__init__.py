"""Reading messages: anything may come out of a queue."""
