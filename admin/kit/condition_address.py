"""The condition of a list in its address: read, and checked."""

from typing import Any

from models import Base
from models.errors import Validation
from resolvers.reading.conditions import checked

from .book import held_book
from .panel_request import PanelRequest
from .short_json import read
from .translation import gettext as _

SAFE = "(),:!'"
"""Characters of short forms that stand in an address as they are."""


def condition_in(ask: PanelRequest, model: type[Base], text: str) -> tuple[dict[str, Any], str]:
    """The condition of an address, and the sentence that says what is wrong with it."""
    if not text:
        return {}, ""
    try:
        condition = read(text)
        checked(model, condition if condition is not None else {}, book=held_book())
    except Validation as refusal:
        return {}, refusal.say(ask.language)
    except (ValueError, RecursionError):
        return {}, _("The search in this address cannot be read, so it was left out.")
    return condition or {}, ""


def all_of(conditions: list[dict[str, Any]]) -> dict[str, Any]:
    """One condition that holds where all of these do."""
    parts = [part for each in conditions for part in (each["and"] if list(each) == ["and"] else [each]) if part]
    return parts[0] if len(parts) == 1 else {"and": parts} if parts else {}
