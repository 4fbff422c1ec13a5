"""Extension options set in the DataWorks console."""
