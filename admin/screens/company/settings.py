"""What the whole house reckons with: dictionaries, number patterns, the organisation."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import Dictionary, DictionaryItem, NumberRule, Organisation
from resolvers.reading.pages import Row

from ...kit.labels import choice_label
from ...kit.related import HISTORY, RelatedTable
from ...kit.translation import Label, gettext
from ...kit.view import PolicyModelView, served

_ = gettext


class Dictionaries(PolicyModelView, model=Dictionary):
    """The lists of words that fields hold."""

    kept = True
    icon, group = "book", "system"
    columns = ("name", "code", "name_zh")
    related = (
        RelatedTable(
            "words",
            Label("Words"),
            "list",
            model=DictionaryItem,
            key="dictionary_id",
            columns=("key", "label_en", "label_zh", "position", "archived_at"),
            order=(("position", False),),
        ),
        HISTORY,
    )


class DictionaryItems(PolicyModelView, model=DictionaryItem):
    """The words of dictionaries."""

    icon = "list"
    group = ""
    columns = ("label_en", "key", "label_zh", "dictionary_id", "position", "archived_at")


class NumberRules(PolicyModelView, model=NumberRule):
    """By which pattern records are numbered."""

    kept = True
    icon, group = "hash", "system"
    hint = Label("C{YYYY}{seq:3} makes C2026001, C2026002 and so on.")

    def name_of(self, row: Row) -> str:
        return choice_label(row["for_module"])


class OrganisationPage(PolicyModelView, model=Organisation):
    """The one row of the organisation: name, zone, currency, language, support."""

    kept = True
    icon, group = "building-community", "system"
    sections = (
        (Label("Organisation"), ("name", "support_contact")),
        (Label("Region and language"), ("time_zone", "currency", "language")),
        (Label("Rules"), ("capacity", "contact_required")),
    )
    related = (HISTORY,)

    @served("/list", "view")
    async def list_page(self, request: Request) -> Response:
        """There is one: its page is the list."""
        return RedirectResponse(self.url("details", "org_1"), 303)
