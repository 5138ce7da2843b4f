"""A screen, page or tab in a new file is found and served, or stops the start with a sentence that names the file."""

import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest

from admin import screens as package
from admin.discovery import ScreenError, find_screens
from admin.kit.pages import Page
from admin.kit.routes import page_route, routes_of
from admin.kit.view import PolicyModelView
from admin.panel import Panel
from admin.screens import GROUPS, screens
from millpond.keys import CookieKeys
from resolvers.runtime.backend import Backend

IMPORTS = """
from admin.kit.commands import command
from admin.kit.declared import Related, Tab
from admin.kit.pages import Page
from admin.kit.history_tab import HISTORY
from admin.kit.related import RelatedTable
from admin.kit.routes import page_route
from admin.kit.view import PolicyModelView
from models import Contact, Customer
"""
PAGE = """
class Weather(Page):
    group, path, title = "work", "/weather", "Weather"

    @page_route("/weather", ("open", "shows no records"))
    async def show(self, request):
        raise AssertionError
"""
LIST = """
class Vips(PolicyModelView, model=Customer):
    slug, group, position = "vip", "work", 25
"""
Write = Callable[..., Path]
_numbers = count()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a new file into the package of the screens, in a folder of the test's own."""
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    known = set(sys.modules)

    def write(source: str, name: str = "fresh.py") -> Path:
        file = tmp_path / name.replace("fresh", f"fresh_{next(_numbers)}")  # a class outlives the test of its module
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(IMPORTS + source, encoding="utf-8")
        return file

    yield write
    for name in set(sys.modules) - known:
        if name.startswith(f"{package.__name__}."):
            del sys.modules[name]


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A backend without data.  Afterwards every screen belongs to its panel again, which sqladmin notes in its class."""
    panels = {view: vars(view).get("_admin_ref") for view in screens()}
    made = Backend(f"sqlite:///{tmp_path_factory.mktemp('none')}/none.db")
    yield made
    made.writer.close()
    for view, belongs in panels.items():
        if belongs is not None:
            view._admin_ref = belongs  # type: ignore[attr-defined]


def panel(backend: Backend) -> Panel:
    return Panel(backend, CookieKeys("auto"), str, screens(), GROUPS)


def names() -> list[str]:
    return [view.__name__ for view in screens()]


def test_the_menu_has_the_order_that_the_screens_declare() -> None:
    listed = [(view.group, view.__name__) for view in screens() if view.group]  # type: ignore[attr-defined]

    assert [name for group, name in listed if group == "work"] == [
        "Home",
        "Customers",
        "DuplicateCheck",
        "Contacts",
        "Pooled",
        "Shares",
        "ForeignLocks",
        "DuplicateReport",
        "Opportunities",
        "OpportunityBoard",
        "Plans",
        "FollowUps",
        "Reports",
    ]
    assert [name for group, name in listed if group == "company"] == [
        "Pools",
        "People",
        "Departments",
        "Roles",
        "Policy",
        "CalendarDays",
        "Pipelines",
        "CustomerStages",
    ]
    assert [name for group, name in listed if group == "system"] == [
        "Dictionaries",
        "CustomFields",
        "NumberRules",
        "Imports",
        "Exports",
        "DuplicateRules",
        "BulkChanges",
        "Jobs",
        "OrganisationPage",
        "RecycleBin",
        "OperationLog",
    ]
    assert [group for group, _name in listed] == sorted((group for group, _name in listed), key=[*GROUPS].index)


@pytest.mark.parametrize(("source", "name", "door"), [(PAGE, "Weather", "/weather"), (LIST, "Vips", "/vip/list")])
@pytest.mark.parametrize("file", ["fresh.py", "folder_without_init/deeper/fresh.py"])
def test_a_screen_in_a_new_file_is_found_and_served(
    write: Write, backend: Backend, source: str, name: str, door: str, file: str
) -> None:
    write(source, file)

    served = panel(backend)

    assert f"GET /admin{door}" in served.doors
    assert [type(view).__name__ for view in served.views if type(view).__name__ == name] == [name]


def test_a_found_screen_stands_where_it_says_in_the_menu(write: Write) -> None:
    write(LIST)

    found = names()

    assert found[found.index("Customers") : found.index("Contacts")] == ["Customers", "DuplicateCheck", "Vips"]


UNSERVED = {
    "a page without an address": (
        "class Lost(Page):\n    path = '/lost'\n",
        "Lost in {file} is not served, because it has no address",
    ),
    "a screen without a model": (
        "class Lost(PolicyModelView):\n    icon = 'x'\n",
        "Lost in {file} is not served, because it has no model",
    ),
    "a mixin that no screen derives from": (
        "class Half(PolicyModelView):\n    pass\nclass Lost(Half):\n    pass\n",
        "Lost in {file} is not served, because it has no model",
    ),
    "a page in the menu under an address that it does not serve": (
        PAGE.replace('path, title = "work", "/weather"', 'path, title = "work", "/wether"'),
        "Weather in {file} has the path “/wether”, which none of its routes serves.",
    ),
    "a menu group that is none": (
        LIST.replace('"work"', '"house"'),
        "Vips in {file} names the menu group “house”; there are work, company, system, more.",
    ),
    "a right that no line can give": (
        PAGE + "    needs = 'wether.view'\n",
        "Weather in {file} asks for the right “wether.view”, but there is no module “wether”; known: audit, ",
    ),
    "a command under a right that no line can give": (
        LIST
        + "    @command('Frame', icon='x', action='*.frame')\n    def frame(self, scope, ids, given):\n        ...\n",
        "Vips in {file} asks for the right “customer.frame”, but models/actions.py has no action “frame”; known: view, ",
    ),
    "a list tab under a right that no line can give": (
        LIST + "    tabs = (Tab('a', 'A', dict, needs='customer.clam'),)\n",
        "Vips in {file} asks for the right “customer.clam”, but models/actions.py has no action “clam”; known: view, ",
    ),
    "a column that the model has not": (
        LIST + "    columns = ('name', 'nmae')\n",
        "Vips in {file} names the column “nmae”, which Customer has not.",
    ),
    "a section with a column that the model has not": (
        LIST + "    sections = (('A', ('contact_name', 'points')),)\n",
        "Vips in {file} names the column “points”, which Customer has not.",
    ),
    "a related table by a key that its model has not": (
        LIST + "    related = (RelatedTable('c', 'C', model=Contact, key='costumer_id', columns=('name',)),)\n",
        "Vips in {file} has the tab “c” with the column “costumer_id”, which Contact has not.",
    ),
    "a related table that no screen shows": (
        "ORPHAN = RelatedTable('c', 'C', model=Contact, key='customer_id', columns=('name',))\n",
        "The tab ORPHAN in {file} is on no screen: name it in `related` or `tabs`.",
    ),
    "a kind of tab that no screen shows": (
        "class Timeline(Related):\n    pass\n",
        "The tab Timeline in {file} is on no screen: name it in `related` or `tabs`.",
    ),
    "a list tab that no screen shows": (
        "NEW = Tab('new', 'New', dict)\n",
        "The tab NEW in {file} is on no screen: name it in `related` or `tabs`.",
    ),
}
"""Sources that declare something without effect, and the sentence that stops the start."""


@pytest.mark.parametrize(("source", "sentence"), UNSERVED.values(), ids=UNSERVED)
def test_what_would_have_no_effect_stops_the_start_with_a_sentence_that_names_the_file(
    write: Write, source: str, sentence: str
) -> None:
    file = write(source)

    with pytest.raises(ScreenError) as stopped:
        screens()

    assert sentence.format(file=file) in str(stopped.value)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (
            LIST.replace('slug, group, position = "vip", "work", 25', "group = ''"),
            "as Customers in admin/screens/work/customers.py does: give one of them another address",
        ),
        (PAGE.replace("/weather", "/log"), "serves GET /admin/log, as"),
        (
            PAGE.replace("/weather", "/login"),
            "Weather in {file} serves GET /admin/login, as SignInPages in admin/sign_in_pages.py does",
        ),
        (LIST + "    page_template = 'vip.html'\n", "Vips in {file} names the template vip.html, which is not there."),
    ],
    ids=["a second main screen of a model", "the address of another page", "the address of the sign-in", "a template"],
)
def test_two_screens_with_one_address_and_a_missing_template_stop_the_start(
    write: Write, backend: Backend, source: str, sentence: str
) -> None:
    file = write(source)

    with pytest.raises(ScreenError) as stopped:
        panel(backend)

    assert sentence.format(file=file) in str(stopped.value)
    assert str(file) in str(stopped.value)


def test_a_file_that_cannot_be_imported_stops_the_start(write: Write) -> None:
    write("from models import Custommer\n")

    with pytest.raises(ImportError, match="Custommer"):
        screens()


def test_a_base_of_screens_is_no_screen(write: Write) -> None:
    write("class Half(PolicyModelView):\n    icon = 'x'\n" + LIST.replace("(PolicyModelView", "(Half"))

    assert "Half" not in names()
    assert "Vips" in names()


def test_a_package_without_files_has_no_screens() -> None:
    empty = ModuleType("empty")
    empty.__path__ = []

    assert find_screens(empty, GROUPS) == []


def test_a_method_that_overrides_a_page_or_a_command_is_the_one_that_is_served() -> None:
    class Shown(Page):
        @page_route("/shown", ("open", "shows nothing"))
        async def show(self, request: object) -> str:  # type: ignore[override]
            return "of the base"

    class Overriding(Shown):
        async def show(self, request: object) -> str:
            return "of the subclass"

    (route,) = routes_of(Overriding)

    assert route.serve is Overriding.show
    assert {route.path for route in routes_of(PolicyModelView)} == {
        "/list",
        "/lookup",
        "/search",
        "/view-counts",
        "/views",
        "/details/{id}",
        "/create",
        "/edit/{id}",
        "/fact/{id}",
        "/restore-field/{id}",
        "/export",
        "/change",
    }
