"""Short phrases that several templates show."""

import re
from typing import Any

from markupsafe import Markup, escape

from models import Base
from models.base import moment_of
from resolvers.pool.time_in_pool import Stay

from .fields import Kind, field_of
from .formatting import moment
from .labels import choice_label
from .panel_request import PanelRequest
from .translation import Label, gettext, listed, ngettext

_ = gettext
DOORS = {
    "panel": Label("in the panel"),
    "graphql": Label("through GraphQL"),
    "system": Label("by itself"),
    "cli": Label("on the command line"),
}
PASSWORD_KINDS = {"chosen": Label("chosen by the person"), "for one use": Label("for one use")}
"""What the log holds of a password, because it never holds the password."""
_BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def pool_reason(stay: Stay) -> str:
    """Why a customer is in its pool: who gave it up, and the reason that they gave."""
    if stay.ended is None:
        return _("Never had an owner")
    how = choice_label(stay.ended)
    if stay.former:
        how = _("%(how)s by %(name)s") % {"how": how, "name": stay.former}
    return f"{how}: {stay.reason}" if stay.reason else how


def days_left_text(days: int | None) -> str:
    """How long a customer may still stay in its pool."""
    if days is None:
        return _("for ever")
    if days == 0:
        return _("its time is up")
    return ngettext("%(num)s more day", "%(num)s more days", days) % {"num": days}


def door_label(name: str) -> str:
    """The door through which something was done."""
    return str(DOORS.get(name, name))


def browser_name(agent: str | None) -> str:
    """The browser and system of a user-agent text: `Firefox, Windows`."""
    found = [next((name for mark, name in marks if mark in (agent or "")), "") for marks in (_BROWSERS, _SYSTEMS)]
    return listed(name for name in found if name) or (agent or "")[:40] or _("a program")


def log_value(ask: PanelRequest, model: type[Base] | None, key: str, raw: Any) -> Markup:
    """A value of a log entry in words, with times in the form of the reader."""
    if isinstance(raw, bool):
        return escape(_("Yes") if raw else _("No"))
    if model is not None and key in model.__table__.c:
        field = field_of(model, key)
        if field.kind is Kind.TIME and isinstance(raw, str):
            return moment(ask, moment_of(raw))
        if field.kind is Kind.CHOICE:
            return escape(choice_label(raw))
        if field.kind is Kind.RECORD:
            return escape(_("not visible to you"))
    if isinstance(raw, list):
        return escape(listed(raw))
    if key == "password":
        return escape(PASSWORD_KINDS.get(raw, raw))
    if isinstance(raw, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", raw):
        return moment(ask, moment_of(raw))
    return escape(raw)


def input_text(input: Any) -> str:
    """What the user has typed into an input, in words."""
    held = input.data
    if isinstance(held, bool):
        return _("Yes") if held else _("No")
    choices = dict(getattr(input, "choices", None) or ())
    if isinstance(held, list):
        parts = (part["value"] if isinstance(part, dict) else choices.get(part, part) for part in held)
        return listed(str(part) for part in parts if part)
    return str(choices.get(held, "" if held is None else held))
