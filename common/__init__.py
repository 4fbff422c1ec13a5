"""What ingest and workers must agree on; nothing here knows HTTP or Celery."""
