"""The workers: they take events from the queue, run checks, and post one verdict per event to DataWorks."""
