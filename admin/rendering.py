"""The template environment of the panel: what every template can use."""

from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from models import Base, Customer
from resolvers.reading.pages import parent_of
from resolvers.records.organisation import time_zones

from .kit import labels, phrases, translation
from .kit.charts import bars
from .kit.fields import Field
from .kit.formatting import moment, number, reach
from .kit.icons import icon
from .kit.once import new_key
from .kit.routes import BASE


def prepare(env: Environment, asset: Callable[[str], str], lookup: Callable[[type[Base]], str]) -> None:
    """Give the environment our templates, messages and functions.

    `asset`: file -> its address.  `lookup`: model -> the address at which a search box finds its records.
    """
    env.loader = PackageLoader("admin", "templates")
    env.is_async = False  # a template waits for nothing while it is rendered
    env.undefined, env.trim_blocks, env.lstrip_blocks = StrictUndefined, True, True
    env.install_gettext_callables(translation.gettext, translation.ngettext, newstyle=True)  # type: ignore[attr-defined]  # of the extension
    env.filters |= {"listed": translation.listed, **_FILTERS}
    env.globals |= {
        "base": BASE,
        "asset": asset,
        "lookup": lookup,
        "bars": bars,
        "icon": lambda name, label="": icon(asset("icons.svg"), name, label),
        "moment": moment,
        "reach": reach,
        "excluding": excluding,
        "narrowing": narrowing,
        "new_key": new_key,
        "number": number,
        "offers_list": offers_list,
        "script_words": script_words,
        "suggestions": suggestions,
        **_MESSAGES,
    }


_FILTERS: dict[str, Any] = {
    "action_label": labels.action_label,
    "object_label": labels.object_label,
    "role_set": labels.role_set,
}
_MESSAGES: dict[str, Any] = {
    "languages": translation.LANGUAGES,
    "language": translation.language,
    "one": labels.one,
    "done": labels.done,
    "role_set": labels.role_set,
    "field_label": labels.field_label,
    "choice_label": labels.choice_label,
    "action_label": labels.action_label,
    "scope_label": labels.scope_label,
    "object_label": labels.object_label,
    "browser_name": phrases.browser_name,
    "days_left_text": phrases.days_left_text,
    "door_label": phrases.door_label,
    "input_text": phrases.input_text,
    "log_value": phrases.log_value,
    "pool_reason": phrases.pool_reason,
}


def script_words() -> dict[str, str]:
    """What the scripts say, in the language of the request; `%s` stands for what was typed."""
    _ = translation.gettext
    return {
        "searching": _("Searching…"),
        "nothing": _("Nothing matches “%s”."),
        "several": _("Several match “%s”, so none was chosen."),
        "unchosen": _("“%s” was typed, but nothing was chosen."),
        "unreachable": _("The server cannot be reached."),
        "failed": _("That did not work. Please try again."),
        "restored": _("What you had typed is here again."),
        "discard": _("Give it up"),
    }


@cache
def suggestions(field: Field) -> tuple[str, ...]:
    """What an input of text offers beside free typing: the names of all time zones; () for any other one."""
    return tuple(sorted(time_zones())) if field.key == "time_zone" else ()


_EITHER = {"owner_id": "pool_id", "pool_id": "owner_id"}


def excluding(form: Any, field: Field) -> str:
    """The input of a form that is emptied when this one is filled: a customer has an owner or a pool; "" for others."""
    other = _EITHER.get(field.key, "") if field.model is Customer else ""
    return other if other in form else ""


def narrowing(form: Any, field: Field) -> str:
    """The input of a form that narrows the records of another one: the customer for contacts; "" where there is none."""
    parent = parent_of(field.target) if field.target is not None else None
    return parent[1] if parent is not None and parent[1] in form and parent[1] != field.key else ""


def offers_list(input: Any) -> bool:
    """Whether an input for a record offers a plain list instead of a search."""
    return bool((input.render_kw or {}).get("data-plain"))
