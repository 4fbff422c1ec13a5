"""The operations of the OpenAPI that dwgate calls."""

from workers.dataworks import operations
from workers.dataworks.operations import Operation

CALLED_ACTIONS = {
    operation.action
    for value in vars(operations).values()
    for operation in (value.values() if isinstance(value, dict) else (value,))
    if isinstance(operation, Operation)
}
"""Their names, such as `GetNode`."""
