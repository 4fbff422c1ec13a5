"""Publishers of events, for RabbitMQ and Redis."""
