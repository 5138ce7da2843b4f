"""How the panel finds its screens: every module of a package is imported, and every screen in it is served.

A declaration that would have no effect stops the start with a sentence that names the file: a screen without an
address, an unknown menu group, a column or a right that does not exist, a tab that no screen shows.
"""

import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from models import ENTITIES
from models.declaration import Misdeclared
from policies.rights import problem_with
from resolvers.imports.targets import targets
from resolvers.reading.clauses import COMPUTED
from resolvers.reading.matching import RELATED
from resolvers.runtime.lifecycle import rules_of

from .kit.commands import commands_of
from .kit.declared import Related, Tab
from .kit.pages import Page
from .kit.routes import routes_of
from .kit.view import PolicyModelView

ROOT = Path(__file__).parent.parent


class ScreenError(Misdeclared):
    """A screen is declared wrongly.  The sentence names the screen and its file."""


def find_screens(package: ModuleType, groups: Iterable[str]) -> list[type]:
    """Every screen of the package in the order of the menu.  Raises ScreenError."""
    order = [*groups, ""]
    modules = _import_all(package)
    found = dict.fromkeys(each for base in (Page, PolicyModelView) for each in _descendants(base))
    declared = [each for each in found if each.__module__ in modules]
    served = [each for each in declared if not _is_base(each, declared)]
    for each in served:
        if mistake := next(_mistakes_of(each, order), None):
            raise ScreenError(f"{place_of(each)} {mistake}.")
    _refuse_unused_tabs(modules, served)
    return sorted(served, key=lambda each: (order.index(each.group), each.position, each.__module__, each.__name__))


def place_of(screen: type) -> str:
    """The screen and its file: `Customers in admin/screens/work/customers.py`."""
    return f"{screen.__name__} in {_file_of(screen.__module__)}"


def _file_of(module: str) -> str:
    file = Path(getattr(sys.modules.get(module), "__file__", None) or module)
    return str(file.relative_to(ROOT) if file.is_relative_to(ROOT) else file)


def _import_all(package: ModuleType) -> set[str]:
    """Import every file below the package, even one in a folder without `__init__.py`.  Returns their module names."""
    found = set()
    for folder in map(Path, package.__path__):
        for file in sorted(folder.rglob("*.py")):
            parts = file.relative_to(folder).with_suffix("").parts
            inner = parts[:-1] if parts[-1] == "__init__" else parts
            if inner:
                found.add(import_module(".".join((package.__name__, *inner))).__name__)
    return found


def _descendants(base: type[Any]) -> Iterator[type[Any]]:
    for each in base.__subclasses__():
        yield each
        yield from _descendants(each)


def _is_base(screen: type[Any], declared: list[type[Any]]) -> bool:
    """Whether the class only serves as a base of screens.  Raises ScreenError if it could not be served and is no base."""
    is_page = issubclass(screen, Page)
    if routes_of(screen) if is_page else "model" in vars(screen):
        return False
    if any(each is not screen and issubclass(each, screen) for each in declared):
        return True
    lacks = "no address: decorate a method with page_route" if is_page else "no model: add model=… to its bases"
    raise ScreenError(f"{place_of(screen)} is not served, because it has {lacks}.")


def _mistakes_of(screen: type[Any], groups: list[str]) -> Iterator[str]:
    """What a screen declares without effect, as predicates of a sentence."""
    if screen.group not in groups:
        yield f"names the menu group “{screen.group}”; there are {', '.join(groups[:-1])}"
    for action in _actions_of(screen):
        if problem := problem_with(action, is_granted=True):
            yield f"asks for the right “{action}”, but {problem}"
    yield from _mistakes_of_page(screen) if issubclass(screen, Page) else _mistakes_of_columns(screen)


def _actions_of(screen: type[Any]) -> Iterator[str]:
    """Every right that a screen names, as `module.action`."""
    if issubclass(screen, Page):
        yield from [screen.needs] if screen.needs else []
        yield from (".".join(route.right) for route in routes_of(screen) if route.right[0] != "open")
        return
    module = screen.model.module
    yield f"{module}.{screen.needs or 'view'}"
    yield from (f"{module}.{route.right}" for route in routes_of(screen))
    yield from (each.action.replace("*", module) for each in commands_of(screen))
    yield from (each.needs for each in commands_of(screen) if each.needs)
    yield from (tab.needs for tab in screen.tabs if tab.needs)


def _mistakes_of_page(page: type[Page]) -> Iterator[str]:
    if page.path not in {route.path for route in routes_of(page) if "GET" in route.methods}:
        yield f"has the path “{page.path}”, which none of its routes serves"


def _mistakes_of_columns(screen: type[PolicyModelView]) -> Iterator[str]:
    """Names that no column of the model has, and tabs that are declared wrongly."""
    model = screen.model
    known = {*model.__table__.c.keys(), *(key for owner, key in (*COMPUTED, *RELATED) if owner is model)}
    known |= rules_of(model).extra_inputs if model in ENTITIES else set()
    named = [*screen.columns, *screen.always, *(screen.filters or ()), *(key for key, _ in screen.default_order)]
    named += [key for _label, section in screen.sections for key in section]
    yield from (f"names the column “{key}”, which {model.__name__} has not" for key in named if key not in known)
    yield from (mistake for tab in screen.related if (mistake := tab.mistake()))
    if screen.imports and screen.imports not in {each.code for each in targets()}:
        yield f"imports “{screen.imports}”, which no sheet brings in"


def _refuse_unused_tabs(modules: Iterable[str], screens: list[type[Any]]) -> None:
    """Raise ScreenError for a tab in one of the modules, or a kind of tab, that no screen shows."""
    shown = [tab for each in screens if not issubclass(each, Page) for tab in (*each.related, *each.tabs)]
    for module in sorted(modules):
        for name, value in vars(sys.modules[module]).items():
            is_unused_tab = isinstance(value, Related | Tab) and not any(tab is value for tab in shown)
            is_unused_kind = (
                isinstance(value, type)
                and issubclass(value, Related)
                and value.__module__ == module
                and not any(isinstance(tab, value) for tab in shown)
            )
            if is_unused_tab or is_unused_kind:
                raise ScreenError(
                    f"The tab {name} in {_file_of(module)} is on no screen: name it in `related` or `tabs`."
                )
