"""Models, settings and the ledger that ingest and workers share; independent of HTTP and Celery."""
