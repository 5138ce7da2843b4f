"""A form that is sent twice acts once: each form carries a key, and the same key with the same content does nothing more."""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import FormData

from models import Entity
from models.audit.entries import plain
from resolvers.runtime.batch import Outcome
from resolvers.runtime.idempotency import run_once

from .panel_request import PanelRequest

KEY = "_key"
"""The name of the hidden input that holds the key of a form."""


def new_key() -> str:
    """A key for one form as it is shown once."""
    return secrets.token_urlsafe(12)


async def act_once(
    ask: PanelRequest,
    data: FormData,
    action: str,
    about: Mapping[str, Any],
    call: Callable[..., Outcome],
    model: type[Entity] | None,
) -> Outcome:
    """The outcome of `call(scope)`, or what the same form was answered before.

    `about` names what the form acts on, like the ids of a selection: a page shows one key for all its rows.
    Raises KeyReused for a form that was saved with other content, and what `call` raises.
    """
    given = str(data.get(KEY, ""))
    if not given:
        return await ask.scope.run(call)
    place = json.dumps([given, action, about], sort_keys=True, default=lambda value: str(plain(value)))
    key = "panel-" + hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()
    content = {name: data.getlist(name) for name in data if name not in (KEY, "from")}
    return await ask.scope.run(run_once, key, action, content, call, model)
