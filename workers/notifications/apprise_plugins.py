"""Sends with apprise. Imported only by a process that sends.

Two of its plugins are corrected (apprise 2.3): that of DingTalk encodes the signature twice, so that DingTalk
does not recognise it, and those of DingTalk and WeCom take every answer with status 200 for a success, also
the answer that the message was refused.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import orjson
import requests
from apprise import Apprise, NotifyBase, NotifyFormat, NotifyType
from apprise.plugins import N_MGR
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.wecombot import NotifyWeComBot

from workers.notifications.message import Message

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of imghdr, which apprise imports
    N_MGR.load_modules()  # type: ignore[no-untyped-call]

# Its lines may contain an address with its key; how an attempt ended is logged by its caller.
logging.getLogger("apprise").addHandler(logging.NullHandler())
logging.getLogger("apprise").propagate = False


class DingTalk(NotifyDingTalk):  # type: ignore[no-untyped-call]
    """A robot of DingTalk.

    Source: DingTalk's open platform, "Custom robot access": `sign` is the Base64 text of the HMAC,
    URL-encoded once; the answer is `{"errcode": 0}` if the message was taken.
    """

    def send(
        self,
        body: str,
        title: str = "",
        notify_type: NotifyType = NotifyType.INFO,
        body_format: NotifyFormat | None = None,
        **_: Any,
    ) -> bool:
        """Send a text; return whether it was taken."""
        del notify_type, body_format
        params = {}
        if self.secret:
            timestamp, signature = self.get_signature()  # type: ignore[no-untyped-call]
            params = {"timestamp": timestamp, "sign": unquote(signature)}
        text = f"{title}\n{body}" if title else body
        content = {
            "msgtype": "text",
            "text": {"content": text},
            "at": {"atMobiles": self.targets, "isAtAll": False},
        }
        return _post(self, self.notify_url.format(token=self.token), content, params)


class WeCom(NotifyWeComBot):  # type: ignore[no-untyped-call]
    """A robot of a group in WeCom.

    Source: WeCom's developer centre, "Group robots": the answer is `{"errcode": 0}` if the message was taken.
    """

    def send(self, body: str, title: str = "", notify_type: NotifyType = NotifyType.INFO, **_: Any) -> bool:
        """Send a text; return whether it was taken."""
        del notify_type
        text = f"{title}\n{body}" if title else body
        return _post(self, self.api_url, {"msgtype": "text", "text": {"content": text}}, {})


_CORRECTED: Mapping[type[NotifyBase], type[NotifyBase]] = {NotifyDingTalk: DingTalk, NotifyWeComBot: WeCom}


def create(url: str) -> NotifyBase | None:
    """Return the plugin for a target; None if apprise does not know such a URL."""
    plugin = Apprise.instantiate(url)
    if not isinstance(plugin, NotifyBase):
        return None
    corrected = _CORRECTED.get(type(plugin))
    return plugin if corrected is None else corrected(**(corrected.parse_url(url) or {}))


def deliver(plugin: NotifyBase, message: Message) -> bool:
    """Send a message; return whether the target has taken it."""
    return bool(
        plugin.notify(
            body=message.body,
            title=message.title,
            notify_type=NotifyType.INFO,
            body_format=NotifyFormat.TEXT,
        )
    )


def _post(plugin: NotifyBase, url: str, content: object, params: Mapping[str, str]) -> bool:
    try:
        response = requests.post(
            url,
            data=orjson.dumps(content),
            headers={"User-Agent": plugin.app_id, "Content-Type": "application/json; charset=utf-8"},
            params=dict(params),
            verify=plugin.verify_certificate,
            timeout=plugin.request_timeout,
            allow_redirects=False,
        )
        answer = response.json()
    except requests.RequestException:  # also for an answer that is not JSON
        return False
    return response.ok and isinstance(answer, dict) and answer.get("errcode") == 0
