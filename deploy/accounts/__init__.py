"""Accounts of RabbitMQ and Redis, one per service, with the rights that it needs and no others."""
