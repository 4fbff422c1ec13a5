"""The SDK's models are loaded one by one, and are those of the SDK."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import alibabacloud_dataworks_public20200518 as package
import pytest

from workers.dataworks import operations, sdk_loading
from workers.dataworks.operations import Operation

SOURCE = (Path(package.__path__[0]) / "models" / "__init__.py").read_text()

PROBE = """
import sys
from workers.dataworks import sdk
loaded = [name for name in sys.modules if name.startswith("alibabacloud_dataworks_public20200518.models.")]
assert not loaded, loaded[:3]
assert sdk.models.UpdateIDEEventResultRequest().to_map() == {}
assert "UpdateIDEEventResultRequest" in vars(sdk.models)
try:
    sdk.models.NoSuchRequest
except AttributeError:
    print("good")
"""


def test_loading_the_sdk_loads_no_model() -> None:
    answer = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=False)
    assert answer.stdout == "good\n", answer.stderr


@pytest.mark.parametrize(
    "operation",
    [
        *(value for value in vars(operations).values() if isinstance(value, Operation)),
        *operations.RESULTS.values(),
    ],
    ids=lambda operation: operation.action,
)
def test_every_operation_has_its_models(operation: Operation) -> None:
    modules = sdk_loading.read_modules(SOURCE)
    assert f"{operation.action}Request" in modules
    assert f"{operation.action}Response" in modules


def test_every_import_of_the_package_is_read() -> None:
    assert len(sdk_loading.read_modules(SOURCE)) == SOURCE.count("\nfrom .")
