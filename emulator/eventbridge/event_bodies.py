"""DataWorks events as EventBridge delivers them, for every extension point.

The envelope and the bodies are those of the help page "Formats of event messages sent to EventBridge". Two
bodies are not published and were derived by analogy: `review-file` and
`delete-data-quality-evaluation-task-notification`.
"""

from __future__ import annotations

import copy
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from common.extension_points import BY_CODE, Level
from common.json_types import Json

BUS = "dw-ext-bus"
_BODIES = Path(__file__).parents[1] / "samples" / "bodies.yaml"
_CHINA = timedelta(hours=8)


@cache
def _bodies() -> dict[str, Json]:
    bodies: dict[str, Json] = YAML(typ="safe", pure=True).load(_BODIES.read_text(encoding="utf-8"))
    return bodies


def event_body(event_code: str) -> Json:
    """Return an example of the `data` of an extension point, which the caller may change."""
    data = copy.deepcopy(_bodies()[event_code])
    if "extensionBizId" in data:
        data["extensionBizId"] = uuid.uuid4().hex
    return data


def event_envelope(
    event_code: str, data: Json, *, account_id: str, now: float, region: str = "cn-shanghai"
) -> Json:
    """Return a new event of an extension point, with its own ID.

    Args:
        event_code: code of the extension point.
        data: the event's body.
        account_id: UID of the Alibaba Cloud account that the event belongs to.
        now: seconds since the epoch.
        region: the region of DataWorks.
    """
    published = datetime.fromtimestamp(now, UTC)
    return {
        "datacontenttype": "application/json;charset=utf-8",
        "aliyunaccountid": account_id,
        "aliyunpublishtime": _stamp(published),
        "data": data,
        "aliyunoriginalaccountid": account_id,
        "specversion": "1.0",
        "aliyuneventbusname": BUS if BY_CODE[event_code].level is Level.WORKSPACE else "default",
        "id": str(uuid.uuid4()),
        "source": "acs.dataworks",
        "subject": "",
        # DataWorks writes local time here, but with a Z.
        "time": _stamp(published + _CHINA),
        "aliyunregionid": region,
        "aliyunpublishaddr": "172.25.1.2",
        "type": BY_CODE[event_code].type,
    }


def regular_copy(event: Json) -> Json:
    """Return the plain notification of the same operation: it has its own ID, and needs no verdict."""
    data = {key: value for key, value in event["data"].items() if key != "extensionBizId"}
    return {**event, "id": str(uuid.uuid4()), "data": {**data, "blockBusiness": False}}


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
