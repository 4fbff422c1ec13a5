"""What finds events that were lost or not answered: watchdog, reconciler, backstop."""
