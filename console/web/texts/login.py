"""The words of the login page."""

from __future__ import annotations

from common.text.i18n import Text
from console.web.texts.catalogue import Catalogue
from console.web.texts.console import CONSOLE

LOGIN = Catalogue(
    CONSOLE,
    {
        "title": Text("Log in", "登录"),
        "name": Text("Name", "用户名"),
        "password": Text("Password", "密码"),
        "submit": Text("Log in", "登录"),
        "with_provider": Text("Log in with the login service of your organization", "使用组织的统一登录"),
        "no_way": Text("No way to log in is configured for this address.", "此地址未配置登录方式。"),
        "wrong": Text("The name or the password is wrong.", "用户名或密码错误。"),
        "locked": Text(
            "Too many wrong passwords. Try again in a minute.", "密码错误次数过多，请一分钟后重试。"
        ),
        "failed": Text("The login failed: {reason}.", "登录失败：{reason}。"),
        "unknown_user": Text(
            "{name} has no access to this console. An administrator can add the name to the users file.",
            "{name} 无权使用此控制台。管理员可将该用户加入用户文件。",
        ),
        "blocked_hint": Text(
            "Were you blocked? Open the link of the tip in DataWorks; it needs no login.",
            "操作被阻断？请打开 DataWorks 提示中的链接，无需登录。",
        ),
    },
)
