"""What a user should know of an import before they confirm it, with a link or a button that changes it."""

from dataclasses import dataclass

from models import ImportBatch
from models.choice_names import in_language
from resolvers.imports import looking
from resolvers.imports.looking import Notice as Told
from resolvers.runtime.ids import global_id

from ...kit.formatting import day
from ...kit.panel_request import PanelRequest
from ...kit.routes import BASE
from ...kit.translation import gettext

_ = gettext


@dataclass(frozen=True)
class Notice:
    """A sentence, with a link, or with a form that changes the order of dates of a column."""

    text: str
    link: tuple[str, str] | None = None
    """(address, label)."""
    change: tuple[int, str, str] | None = None
    """(place of a column, order of its dates, label of the button)."""


async def found(ask: PanelRequest, row: ImportBatch) -> list[Notice]:
    """The notices of a checked import, the weightiest first."""
    told: list[Told] = await ask.scope.read(looking.notices, row)
    return [_shown(ask, each) for each in told]


def _shown(ask: PanelRequest, told: Told) -> Notice:
    link, change, other = None, None, told.reread
    if told.earlier_id is not None:
        link = f"{BASE}/imports/{global_id(ImportBatch, told.earlier_id)}", _("To that import")
    if other is not None:
        change = other.place, other.order.value, _("No, it is %(day)s") % {"day": day(ask, other.day)}
    return Notice(in_language(told.said, ask.language), link, change)
