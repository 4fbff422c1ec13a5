"""The option `only_new` of code-review, with the version in production as DataWorks returns it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from common.events import Event
from common.plan import Mode, PlannedCheck
from common.snapshot import FileSnapshot, Snapshot
from common.text.i18n import Language
from common.verdicts import Outcome, OutcomeKind, Result
from tests.support.emulator_process import PROJECT_ID, Emulator
from workers.celery_app import create_app
from workers.services import Services
from workers.settings import WorkerSettings

CODE = "DELETE FROM dw.orders;\n"
OLD_STUDIO, NEW_STUDIO = 501239901, 7234567890123459901


@pytest.fixture
def services(worker_settings: WorkerSettings) -> Iterator[Services]:
    app = create_app(worker_settings)
    services = Services(worker_settings, app)
    yield services
    app.close()
    services.ledger.client.close()


def deploy(emulator: Emulator, file_id: int, code: str) -> None:
    version = {"FileVersion": 1, "IsCurrentProd": True, "FileContent": code}
    file = {"FileId": file_id, "ProjectId": PROJECT_ID, "new_studio": file_id == NEW_STUDIO}
    emulator.add_to_world(files=[{**file, "versions": [version]}])


def review(services: Services, file_id: int) -> Outcome:
    event = Event("m-1", "commit-file", PROJECT_ID, "1923", True, {}, time.time())
    snapshot = Snapshot(file=FileSnapshot(file_id, "orders", 10, CODE))
    planned = PlannedCheck("code-review", Mode.ENFORCE, Result.WARN, Result.WARN, {"only_new": True})
    runner = services.check_runner(event, snapshot, Language.ENGLISH, time.time() + 30)
    return runner.run(services.checks["code-review"], planned)


@pytest.mark.parametrize("file_id", [OLD_STUDIO, NEW_STUDIO])
def test_unchanged_code_passes_and_changed_code_does_not(
    services: Services, emulator: Emulator, file_id: int
) -> None:
    deploy(emulator, file_id, CODE)
    assert review(services, file_id).kind is OutcomeKind.PASSED
    assert review(services, file_id + 1).kind is OutcomeKind.FINDINGS, "a new file"


@pytest.mark.parametrize("code", ["Invalid.Tenant.ProjectNotExists", "InvalidParameter", "Forbidden.Access"])
def test_a_rejected_query_for_the_version_is_an_error(
    services: Services, emulator: Emulator, code: str
) -> None:
    deploy(emulator, OLD_STUDIO, CODE)
    emulator.fault("business", action="ListFileVersions", times=None, code=code)
    outcome = review(services, OLD_STUDIO)
    assert outcome.kind is OutcomeKind.ERROR
    assert code in str(outcome.detail)
