"""Events in: verify EventBridge's signature, read the envelope, make the event durable, answer."""
