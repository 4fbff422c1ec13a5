"""Publishers of events: RabbitMQ and Redis."""
