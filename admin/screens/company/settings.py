"""Settings of the whole installation: dictionaries, number rules, the organisation."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import Dictionary, DictionaryItem, DuplicateRule, NumberRule, Organisation
from resolvers.reading.pages import Row

from ...kit.history_tab import HISTORY
from ...kit.labels import choice_label
from ...kit.related import RelatedTable
from ...kit.routes import page_route
from ...kit.translation import Label
from ...kit.view import PolicyModelView
from .word_merging import WordMerging


class Dictionaries(WordMerging, model=Dictionary):
    """The lists of words that fields can hold."""

    icon, group, position, imports = "book", "system", 10, "dictionary_item"
    hint = Label("The lists from which fields like stage and industry are chosen.")
    empty = Label("There is no dictionary yet.")
    for_editors = True
    columns = ("name", "code", "name_zh")
    page_template = "dictionary.html"
    related = (
        RelatedTable(
            "words",
            Label("Words"),
            "list",
            model=DictionaryItem,
            key="dictionary_id",
            columns=("key", "label_en", "label_zh", "tone", "position", "archived_at"),
            order=(("position", False),),
        ),
        HISTORY,
    )


class DictionaryItems(PolicyModelView, model=DictionaryItem):
    """The words of dictionaries."""

    icon, imports = "list", "dictionary_item"
    group = ""
    hint = Label("The entries of the dictionaries, with their labels in both languages.")
    empty = Label("No dictionary has an entry yet. Add one on the page of its dictionary.")
    begin = (Label("To the dictionaries"), "dictionary/list", "dictionary.view")
    columns = ("label_en", "key", "label_zh", "dictionary_id", "tone", "position", "archived_at")


class NumberRules(PolicyModelView, model=NumberRule):
    """The pattern by which each kind of record is numbered."""

    icon, group, position = "hash", "system", 20
    for_editors = True
    empty = Label("There is no number rule yet, so the usual pattern holds.")
    hint = Label("C{YYYY}{seq:3} makes C2026001, C2026002 and so on.")

    def name_of(self, row: Row) -> str:
        return choice_label(row["for_module"])


class DuplicateRules(PolicyModelView, model=DuplicateRule):
    """What counts as a duplicate of a customer or of a contact."""

    icon, group, position = "copy", "system", 25
    for_editors = True
    columns = ("for_module", "evidence", "verdict", "updated_at")
    empty = Label("There is no duplicate rule yet, so the usual ones hold.")
    hint = Label("What counts as a duplicate: a certain one asks for a reason at save, a possible one only warns.")

    def name_of(self, row: Row) -> str:
        return f"{choice_label(row['for_module'])} · {choice_label(row['evidence'])}"


class OrganisationPage(PolicyModelView, model=Organisation):
    """The one record of the organisation: name, time zone, currency, language, support."""

    icon, group, position = "building-community", "system", 30
    hint = Label("Name, time zone, currency and the rules that hold for everybody.")
    for_editors = True
    sections = (
        (Label("Organisation"), ("name", "support_contact")),
        (Label("Region and language"), ("time_zone", "currency", "language")),
        (
            Label("Rules"),
            (
                "capacity",
                "contact_required",
                "approve_customers",
                "follow_up_days_back",
                "follow_up_days_ahead",
                "export_rows",
                "two_for_policy",
            ),
        ),
        (
            Label("Follow-ups that count as a contact"),
            (
                "call_counts",
                "visit_counts",
                "email_counts",
                "wechat_counts",
                "meeting_counts",
                "note_counts",
                "follow_up_characters",
                "follow_up_copy_days",
            ),
        ),
    )
    related = (HISTORY,)

    @page_route("/list", "view")
    async def list_page(self, request: Request) -> Response:
        """There is one record, so the list leads to its page."""
        return RedirectResponse(self.url("details", "org_1"), 303)
