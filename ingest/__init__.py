"""Receives events: verifies EventBridge's signature, parses the envelope, publishes the event durably."""
