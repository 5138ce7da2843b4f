"""A hidden phone yields no bit: wherever a text is taken, the hidden number is answered like one that nobody has."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, product
from typing import Any

import pytest
from sqlalchemy import delete

from models import Contact, Customer, DuplicateRule
from models.contact import PointKind
from resolvers.views import saved_views
from resolvers.views.settings import ViewSettings
from schema import limits
from tests.support import forms, text_places
from tests.support.graphql import Api
from tests.support.panel import Panel, doors, told
from tests.support.text_places import Place
from tests.support.world import World

HIDDEN, NOBODYS = "78878778878", "95595995595"
"""Numbers of one pattern: what tells them apart is that somebody has the first one."""
NAME = "Granite Works"
PARTS = 12
"""Into how many tests the long form is split."""
_AT_LENGTH = [
    *(("sqlite", n) for n in range(0, PARTS, 1 if forms.IS_THOROUGH else 3)),
    *(("postgresql", n) for n in (range(PARTS) if forms.IS_THOROUGH else (5,))),
]
in_brief_and_at_length = pytest.mark.parametrize(
    ("url", "part"),
    [
        *(pytest.param(engine, None, id=f"{engine}-in brief") for engine in ("sqlite", "postgresql")),
        *(pytest.param(*each, marks=pytest.mark.long) for each in _AT_LENGTH),
    ],
    indirect=["url"],
)
"""A third of all places on SQLite, and one part of them on PostgreSQL; `make sweep` asks all of them on both."""
BRIEF_PAGES = re.compile("/admin/((customer|contact)/(list|lookup)|search|palette/found)$")
IN_BRIEF = re.compile(
    r"\?(q|c\.phone|c\.(contacts|points)\.some)$|^/admin/duplicate-check.*( phone| points-value| table)\b"
    r"|^customers\(filter\.number|^(customers|contacts)\(search|^globalSearch|^duplicateCheck.*phones"
)
"""The places that are asked in the short form: those that find a phone for who may see it."""
FINDING = (
    *("customers(filter.number", "customers(search)", "contacts(search)", "globalSearch(text)"),
    *("duplicateCheck(input.phones)", "duplicateCheckMany(input.rows.phones)", "saved view 0", "saved view 1"),
    *("/admin/customer/list?q", "/admin/customer/list?c.phone", "/admin/customer/list?c.contacts.some"),
    *("/admin/contact/list?q", "/admin/contact/list?c.points.some", "/admin/customer/lookup?q", "/admin/search?q"),
    *("/admin/palette/found?q", "/admin/duplicate-check/live customer phone", "/admin/duplicate-check table"),
)
"""The places at which Ada is answered by the phone, because she sees it."""
HOLDS_NO_TEXT = re.compile(r"\?(f_.*_(from|to)|saved)$")
CUT = re.compile(r"\?q$|\(search|\(text|\(filter|duplicate")
"""The places that are asked for a part of the number, too."""


@pytest.fixture
def pooled(world: World, monkeypatch: pytest.MonkeyPatch) -> int:
    """A customer in a pool, whose phone and whose contact's phone Li does not see; Ada sees both."""
    for name in limits.LIMITS:
        monkeypatch.setitem(limits.LIMITS, name, 10**7)
    with world.backend.writer.engine.begin() as connection:
        connection.execute(delete(DuplicateRule.__table__))
    id = world.customer(NAME, pool="north", phone=HIDDEN)
    world.make(Contact, customer_id=id, name="Lena", points=[{"kind": PointKind.PHONE, "value": HIDDEN}])
    return id


def pairs(place: Place, part: int | None) -> list[tuple[str, str]]:
    """The hidden number, its beginnings and its ends, each beside a text of one length that no number holds.

    One beginning and one end where a phone is found, because each text is a query to compile; in `make sweep` three of each
    everywhere, but for filters of many fields at once (`…`).
    """
    all_of_them = forms.IS_THOROUGH and "…" not in place.name
    is_cut = part is not None and CUT.search(place.name)
    lengths = () if not is_cut else (1, 7, 10) if all_of_them else (7,) if IN_BRIEF.search(place.name) else ()
    cut = [(HIDDEN[:n], NOBODYS[:n]) for n in lengths] + [(HIDDEN[-n:], NOBODYS[-n:]) for n in lengths]
    return [(HIDDEN, NOBODYS), *dict.fromkeys(cut)]


def plain(answer: Any) -> str:
    """An answer in which nothing repeats what was asked."""
    return re.sub("[5789]", "#", json.dumps(answer, ensure_ascii=False))


def leaks(places: Iterable[Place], part: int | None) -> list[str]:
    """The places that answer the hidden number in another way than one that nobody has."""
    some = (x for x in places if (IN_BRIEF.search(x.name) if part is None else not HOLDS_NO_TEXT.search(x.name)))
    return [x.name for x in some if any(plain(x.ask(one)) != plain(x.ask(other)) for one, other in pairs(x, part))]


def of_graphql(api: Api, login: str, id: int, part: int | None) -> Iterable[Place]:
    return islice(
        text_places.graphql_places(api, login, f"cus_{id}", NAME), part or 0, None, 1 if part is None else PARTS
    )


def of_panel(panel: Panel, login: str, id: int, part: int | None) -> Iterator[Place]:
    browser = panel.of(login)
    pages = [door for door in doors() if door.method == "GET"]
    for door in pages[part::PARTS] if part is not None else (x for x in pages if BRIEF_PAGES.match(x.path)):
        yield from text_places.addresses(browser, door, f"cus_{id}")
        if door.page == "list" and getattr(door.view, "offers_search", False):
            yield from text_places.conditions(browser, door)
    if not part:
        yield from text_places.forms(browser, f"cus_{id}", NAME)


def of_views(panel: Panel, login: str) -> Iterator[Place]:
    """Saved views, whose condition and search hold the text: their counts and their list, in both doors."""
    scope, model = panel.world.scope(login), Customer
    for n, settings in enumerate(
        (lambda text: {"condition": {"phone": {"contains": text}}}, lambda text: {"search": text})
    ):
        id = scope.do(saved_views.save_view, model, f"View {n}", ViewSettings())

        def ask(text: str, id: int = id, n: int = n, settings: Any = settings) -> Any:
            scope.do(saved_views.save_view, model, f"View {n}", ViewSettings(**settings(text)), id=id)
            browser = panel.of(login)
            pages = [
                browser.get("/admin/customer/list", {"view": f"viw_{id}"}),
                browser.get("/admin/customer/view-counts"),
            ]
            counts = Api(panel.world).ask(login, "{ savedViews { name filter search count notes } }")
            return [*map(told, pages), counts]

        yield Place(f"saved view {n}?q", ask)


def test_li_sees_the_customer_without_its_phone_and_ada_with_it(world: World, pooled: int) -> None:
    ask = "{ customers { nodes { name phone contacts { nodes { name points { value } } } } } }"

    def shown(login: str) -> Any:
        return Api(world).ask(login, ask)["customers"]["nodes"]

    assert shown("li") == [{"name": NAME, "phone": None, "contacts": {"nodes": [{"name": "Lena", "points": []}]}}]
    assert shown("ada")[0]["phone"] == HIDDEN


@in_brief_and_at_length
@pytest.mark.sampled
def test_no_argument_of_graphql_tells_of_it(world: World, pooled: int, part: int | None) -> None:
    assert leaks(of_graphql(Api(world), "li", pooled, part), part) == []


@pytest.mark.long
@in_brief_and_at_length
@pytest.mark.sampled
def test_no_page_of_the_panel_tells_of_it(world: World, pooled: int, part: int | None) -> None:
    assert leaks(of_panel(Panel(world), "li", pooled, part), part) == []


def test_no_saved_view_tells_of_it(world: World, pooled: int) -> None:
    assert leaks(of_views(Panel(world), "li"), None) == []


@pytest.mark.long
def test_who_may_see_the_phone_is_answered_by_it_wherever_it_can_be_looked_for(world: World, pooled: int) -> None:
    """So the tests above can fail."""
    places = [*of_graphql(Api(world), "ada", pooled, None), *of_panel(Panel(world), "ada", pooled, None)]
    found = leaks([*places, *of_views(Panel(world), "ada")], None)

    assert [name for name in FINDING if not any(each.startswith(name) for each in found)] == []


@pytest.mark.long
def test_guessing_digit_by_digit_yields_the_number_to_who_may_see_it_and_nothing_to_others(
    world: World, pooled: int
) -> None:
    """By the count of a filter, of a search and of the search over everything."""
    api = Api(world)

    def count(login: str, query: str, text: str) -> str:
        return json.dumps(api.ask(login, query, text=text))

    for query in (
        "query ($text: String!) { customers(filter: {phone: {startsWith: $text}}) { totalCount } }",
        "query ($text: String!) { customers(search: $text) { totalCount } }",
        "query ($text: String!) { globalSearch(text: $text) { count } }",
    ):
        assert guessed(lambda text, query=query: count("li", query, text)) == ""
        assert guessed(lambda text, query=query: count("ada", query, text)) == HIDDEN


def guessed(ask: Callable[[str], str]) -> str:
    """What can be told of a number by lengthening a text as long as the answer is another than for a wrong one."""
    nothing = ask("999")
    starts = map("".join, product("789", repeat=3))
    text = next((start for start in starts if ask(start) != nothing), "")
    while text:
        longer = (way for digit in "789" for way in (text + digit, digit + text))
        found = next((way for way in longer if ask(way) != nothing), "")
        if not found:
            break
        text = found
    return text


def test_a_check_of_many_numbers_at_once_does_not_narrow_them_down(world: World, pooled: int) -> None:
    """Twenty numbers fit into a check, so who may see the phone halves them."""
    api, others = Api(world), [f"7887877{n:04d}" for n in range(19)]
    query = "query ($phones: [String!]!, $name: String) { duplicateCheck(input: {phones: $phones, name: $name}) { verdict evidence name } }"

    for name in (None, NAME, "Granite"):
        with_it, without = (
            {login: api.ask(login, query, phones=phones, name=name) for login in ("li", "ada")}
            for phones in ([*others, HIDDEN], [*others, NOBODYS])
        )
        assert with_it["li"] == without["li"]
        assert with_it["ada"] != without["ada"]


def test_each_place_in_the_panel_that_takes_a_text_is_asked() -> None:
    assert text_places.not_covered() == []
