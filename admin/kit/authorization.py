"""sqladmin's question whether a user may do something on a screen, answered by the policy."""

from collections.abc import Callable
from typing import Any

from sqladmin.authorization import AuthorizationBackend
from starlette.requests import Request

from .panel_request import panel_request

_VERBS = {"list": "view", "details": "view"}


class Authorization(AuthorizationBackend):
    """Answers yes if the policy allows the action on some record.  `module_of`: identity of a screen -> its module."""

    def __init__(self, module_of: Callable[[str], str | None]) -> None:
        self.module_of = module_of

    def has_permission(self, request: Request, identity: str, action: str, obj: Any | None = None) -> bool:
        module = self.module_of(identity)
        verb = str(action).removeprefix("action:")
        is_known = hasattr(request.state, "panel_request") and module is not None
        return is_known and panel_request(request).may(f"{module}.{_VERBS.get(verb, verb)}")
