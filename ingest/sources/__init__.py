"""The sources of events: requests of EventBridge over HTTP, and a queue that EventBridge writes to."""
