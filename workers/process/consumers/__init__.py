"""The Celery consumers of a worker: what they refuse, how they connect, and what they declare."""
