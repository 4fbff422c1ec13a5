"""The words of pages that refuse a user."""

from __future__ import annotations

from common.text.i18n import Text

ACCESS_ERRORS = {
    "forbidden_word": Text("No access", "无权访问"),
    "forbidden_title": Text("Your account may not see this page.", "您的账号无权查看此页面。"),
    "forbidden_why": Text("It needs: {detail}.", "需要：{detail}。"),
    "forbidden_step": Text("Ask an administrator of dwgate for access.", "请联系 dwgate 管理员开通权限。"),
    "form_expired_word": Text("Nothing was changed", "未做改动"),
    "form_expired_title": Text(
        "The form is too old, or another site sent it.", "表单已过期，或由其他网站提交。"
    ),
    "form_expired_why": Text(
        "Forms are valid for 12 hours and end with the login.", "表单有效期为 12 小时，并随登录失效。"
    ),
    "form_expired_step": Text("Open the page again and repeat what you did.", "请重新打开页面并再次操作。"),
}
