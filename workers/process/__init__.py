"""The processes of a worker: roles, supervisor, child processes."""
