"""Flower, the web pages of Celery's workers and tasks, as dwgate runs it."""
