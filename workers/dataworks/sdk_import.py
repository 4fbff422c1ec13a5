"""Loads Alibaba Cloud's libraries without aiohttp, which they need only for asynchronous calls.

dwgate makes none. That import would take a tenth of the time of a worker's start.
"""

from common.processes.lean_import import import_deferring

for _module in ("darabonba.core", "alibabacloud_credentials.client"):
    import_deferring(_module, ["aiohttp"])
