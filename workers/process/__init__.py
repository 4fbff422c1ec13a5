"""The processes of a worker: roles, supervisor and child processes."""
