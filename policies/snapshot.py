"""One immutable state of the policy: lines partially evaluated into cells, and what cells answer.

One cell (`cells.py`) gives the record check, the SQL clause (`clauses.py`), the guarded column and the explanation, so
they cannot disagree.  A change of the policy builds a new snapshot; nothing is ever changed in place.
"""

from collections.abc import Iterable
from functools import cache, cached_property, lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import casbin
from casbin.persist import Adapter
from sqlalchemy import ColumnElement, false, null

from models import Base
from models.custom_field import Book

from .branches import branch_of
from .cells import ALL, Cell
from .clauses import Clauses
from .lines import InvalidPolicy, Line, inheritance, parse, validate
from .objects import APART, FIELDS, GROUPS, is_custom_object
from .principal import Principal
from .rows import Clause
from .saying import Called, sentence
from .words import SCOPES, Facts, can_hold, holds, parts, unmet

_HERE = Path(__file__).resolve().parent
MODEL_FILE = next(f for f in (_HERE / "casbin_model.conf", _HERE.parent / "casbin_model.conf") if f.exists())
"""In a wheel the model file lies beside this one, in a checkout one folder up."""

MATCHER = (
    '(p_obj == "*" || g2(r_obj, p_obj)) && (p_act == "*" || g3(r_act, p_act)) && '
    '(p_sub == "*" || g(r_sub, p_sub)) && has(r_rec, p_scope) && has(r_rec, p_when)'
)
"""The one matcher that cells mean; another one in the model file is refused, not misread."""
_SHAPE = {
    ("r", "r"): "sub, obj, act, rec",
    ("p", "p"): "sub, obj, act, scope, when, eft",
    ("e", "e"): "some(where (p_eft == allow)) && !some(where (p_eft == deny))",
    ("m", "m"): MATCHER,
    ("g", "g"): "_, _",
    ("g", "g2"): "_, _",
    ("g", "g3"): "_, _",
}


class Reason(NamedTuple):
    """One line about an action: whether it fired, and if not, its first word that did not hold: `own`, `!locked`."""

    line: str
    effect: str
    fired: bool
    missing: str | None

    def why_not(self, language: str = "en", called: Called = MappingProxyType({})) -> str | None:
        """What would have to be true for the line to fire; None when it did."""
        return None if self.missing is None else sentence(self.missing, language, called)


class Snapshot:
    """The policy of one revision with one book of custom fields.

    Safe to share between threads; a request keeps the one it began with.
    """

    def __init__(
        self, text: str, revision: int = 0, roles: Iterable[str] | None = None, book: Book | None = None
    ) -> None:
        """Raises InvalidPolicy with line numbers; nothing half-valid is ever in force.

        A custom field that is not in the book is closed to every person.  Without a book each counts as defined, which
        is right where only the lines are looked at.
        """
        self.text, self.revision, self._known = text, revision, book
        self.book = book if book is not None else Book()
        self.lines = validate(parse(text), None if roles is None else frozenset(roles))
        self._up = inheritance(self.lines)
        self._about: dict[tuple[str, str], list[Line]] = {}
        for line in self.lines:
            if line.kind != "g":
                self._about.setdefault((line.kind, line.columns[1]), []).append(line)
        self.cell = lru_cache(maxsize=4096)(self._cell)
        self.ceiling = lru_cache(maxsize=1024)(partial(self._cell, kind="p2"))
        self.closure = lru_cache(maxsize=1024)(self._closure)
        self._clause = lru_cache(maxsize=256)(self._where_of)
        check_model()

    @cached_property
    def branch_fields(self) -> frozenset[str]:
        """The fields of the branches that lines of use name."""
        words = {word for line in self.lines if line.kind == "p" for word, _ in parts(line.columns[4])}
        return frozenset(branch.field for word in words if (branch := branch_of(word)) is not None)

    # -- the four answers --------------------------------------------------------------------------------

    def may(self, p: Principal | None, action: str, module: str, facts: Facts, field: str | None = None) -> bool:
        """Whether `p` may do it to a record of these facts.  Microseconds.  Without a person: no.

        Of a record with a parent this is half the answer: `where` also asks whether the parent is visible.
        """
        object = _object(module, field)
        if p is None or not self.cell(p.roles, object, action).test(p, facts):
            return False
        return p.looker is None or self.cell(p.looker.roles, object, action).locks.test(p.looker, facts)

    def might(self, p: Principal, action: str, module: str, facts: Facts) -> bool:
        """Whether `p` may do it to some record of these facts, whatever branches it lies in."""
        return self.cell(p.roles, module, action).in_some_branch.test(p, facts)

    def ever(self, p: Principal | None, action: str, module: str) -> bool:
        """Whether there is any record of the module to which `p` might do it: what menus and buttons ask.

        A line about pools, or about a department, says nothing to who has none.
        """
        if p is None:
            return False
        cell = self.cell(p.roles, module, action)
        return ALL not in cell.deny and any(can_hold(scope, p) for scope, _ in cell.allow)

    def where(
        self, p: Principal | None, action: str, model: type[Base], e: Any = None, *, by_row: bool = False
    ) -> Clause:
        """The clause that lets through the rows of `model` to which `p` may do `action` (`Clauses.where`).

        `e` is the row source, the class itself when left out.
        """
        if p is None:
            return false()
        return self._clause(p, action, model, by_row) if e is None else self._of(p, by_row).where(action, model, e)

    def _where_of(self, p: Principal, action: str, model: type[Base], by_row: bool) -> Clause:
        return self._of(p, by_row).where(action, model, model)

    def guarded(self, p: Principal | None, model: type[Base], field: str, e: Any, column: ColumnElement[Any]) -> Any:
        """`column` where `p` may see `field`, NULL elsewhere (`Clauses.guarded`)."""
        return null() if p is None else self._of(p).guarded(model, field, e, column)

    def guard(self, p: Principal, model: type[Base], field: str, e: Any, action: str = "view") -> Clause | None:
        """The clause under which `field` may be seen, or edited, in a row (`Clauses.guard`)."""
        return self._of(p).guard(model, field, e, action)

    def _of(self, p: Principal, by_row: bool = False) -> Clauses:
        return Clauses(self, p, by_row=by_row)

    def may_hide(self, p: Principal, model: type[Base], field: str) -> bool:
        """Whether some line hides `field` in some visible record, from any person with these roles."""
        word = f"{model.module}.{field}"
        if word not in FIELDS:
            return False
        return self.cell(p.roles, word, "view").within(self.cell(p.roles, model.module, "view")) is not None

    def explain(self, p: Principal, action: str, module: str, facts: Facts, field: str | None = None) -> list[Reason]:
        """Every line about this person, object and action, in the order of the text."""
        return [_reason(line, p, facts) for line in self.cell(p.roles, _object(module, field), action).lines]

    # -- cells -------------------------------------------------------------------------------------------

    def _closure(self, roles: frozenset[str]) -> frozenset[str]:
        found, todo = set(roles) | {"*"}, list(roles)
        while todo:
            for wider in self._up.get(todo.pop(), ()):
                if wider not in found:
                    found.add(wider)
                    todo.append(wider)
        return frozenset(found)

    def _cell(self, roles: frozenset[str], obj: str, action: str, kind: str = "p") -> Cell:
        if self._known is not None and is_custom_object(obj) and not self._is_defined(obj):
            return Cell(frozenset(), frozenset({ALL}), ())
        roles, objects = self.closure(roles), {obj, "*"}
        if obj in FIELDS:
            # A field that stands apart is reached by lines that name it, a wildcard included, not through its module.
            objects |= set() if obj in APART else {FIELDS[obj]}
        actions = {action, "*", *(group for group, members in GROUPS.items() if action in members)}
        about = (line for named in objects for line in self._about.get((kind, named), ()))
        found = (line for line in about if line.columns[0] in roles and line.columns[2] in actions)
        lines = tuple(sorted(found, key=lambda line: line.number))
        pairs = {
            effect: frozenset((x[3], x[4]) for x in _columns(lines) if x[5] == effect) for effect in ("allow", "deny")
        }
        return Cell(pairs["allow"], pairs["deny"], lines)

    def _is_defined(self, obj: str) -> bool:
        module, _, field = obj.partition(".")
        return self.book.find(module, field) is not None

    # -- the judge ---------------------------------------------------------------------------------------

    def enforcer(self, people: Iterable[tuple[str, str]] = ()) -> "casbin.Enforcer":
        """Casbin's own Enforcer over the same lines: the judge of proofs and tests, far too slow for requests.

        `people` are (subject, role) links.  Ask `enforce(subject, object, action, (principal, facts))`.
        """
        judge = casbin.Enforcer(
            str(MODEL_FILE), _Rows([*self._casbin_rows(), *(("g", who, role) for who, role in people)])
        )
        judge.add_function("has", _has)
        return judge

    def _casbin_rows(self) -> Iterable[tuple[str, ...]]:
        yield from ((line.kind, *line.columns) for line in self.lines)
        yield from (("g2", field, module) for field, module in FIELDS.items() if field not in APART)
        yield from (("g2", field, FIELDS[field]) for field in sorted(self._customs()))
        yield from (("g3", member, group) for group, members in GROUPS.items() for member in members)

    def _customs(self) -> set[str]:
        """The custom fields that there are, and those that lines name."""
        named = {line.columns[1] for line in self.lines if line.kind != "g"}
        return {x.object for x in self.book.fields.values()} | {word for word in named if is_custom_object(word)}


def _columns(lines: Iterable[Line]) -> Iterable[tuple[str, ...]]:
    return (line.columns for line in lines)


def _object(module: str, field: str | None) -> str:
    return f"{module}.{field}" if field else module


def _reason(line: Line, p: Principal, facts: Facts) -> Reason:
    scope, when, effect = line.columns[3:6]
    missing = unmet(scope, when, p, facts)
    return Reason(str(line), effect, missing is None, missing)


def _has(record: tuple[Principal, Facts], word: str) -> bool:
    p, facts = record
    return SCOPES[word].test(p, facts) if word in SCOPES else holds(word, facts)


class _Rows(Adapter):  # type: ignore[misc]  # casbin has no types
    """Hands rows to Casbin as they are; its own CSV reader splits quotes and commas."""

    def __init__(self, rows: Iterable[tuple[str, ...]]) -> None:
        self.rows = list(rows)

    def load_policy(self, model: Any) -> None:
        for kind, *row in self.rows:
            model.model[kind[0]][kind].policy.append(row)


@cache
def check_model(path: Path = MODEL_FILE) -> None:
    """Raise InvalidPolicy for a Casbin model that does not say exactly what cells mean.  Read once per process."""
    model = casbin.Enforcer(str(path)).get_model()
    problems = []
    for (section, key), wanted in _SHAPE.items():
        found = model.model.get(section, {}).get(key)
        text = "nothing" if found is None else found.value.replace("'", '"')
        if text != wanted:
            problems.append(f"{path.name}: {key} cannot be turned into list filters: {text}")
    if problems:
        raise InvalidPolicy(problems)
