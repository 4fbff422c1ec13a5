"""Commands that start a service and run until they are stopped."""
