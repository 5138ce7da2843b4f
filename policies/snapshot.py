"""One immutable state of the policy: lines partially evaluated into cells, and what cells answer.

A cell is what is left of the lines once roles, object and action are known: pairs of (scope, state) that allow
and that deny.  The one cell gives the record check, the SQL clause, the guarded column and the explanation, so
they cannot disagree.  A change of the policy builds a new snapshot; nothing is ever changed in place.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import casbin
from casbin.persist import Adapter
from sqlalchemy import ColumnElement, and_, case, false, not_, or_, true

from models import Base

from .lines import InvalidPolicy, Line, inheritance, parse, validate
from .principal import Principal
from .words import (
    APART,
    FIELDS,
    GROUPS,
    SCOPES,
    Clause,
    Facts,
    Rows,
    holds,
    when_sentence,
    when_sql,
)

_HERE = Path(__file__).resolve().parent
MODEL_FILE = next(f for f in (_HERE / "casbin_model.conf", _HERE.parent / "casbin_model.conf") if f.exists())
"""In a wheel the model file lies beside this one, in a checkout one folder up."""

MATCHER = (
    '(p_obj == "*" || g2(r_obj, p_obj)) && (p_act == "*" || g3(r_act, p_act)) && '
    '(p_sub == "*" || g(r_sub, p_sub)) && has(r_rec, p_scope) && has(r_rec, p_when)'
)
"""The one matcher that cells mean; another one in the model file is refused, not misread."""

Pair = tuple[str, str]


@dataclass(frozen=True)
class Cell:
    """What the lines say once roles, object and action are known."""

    allow: frozenset[Pair]
    deny: frozenset[Pair]
    lines: tuple[Line, ...]

    def test(self, p: Principal, facts: Facts) -> bool:
        def fires(pairs: Iterable[Pair]) -> bool:
            return any(SCOPES[scope].test(p, facts) and holds(when, facts) for scope, when in pairs)

        return fires(self.allow) and not fires(self.deny)

    def sql(self, p: Principal, rows: Rows) -> Clause:
        """The rows for which `test` is true.  Never NULL."""
        if not self.allow:
            return false()
        allowed = true() if ("all", "any") in self.allow else or_(*(_pair_sql(x, p, rows) for x in sorted(self.allow)))
        return and_(allowed, *(not_(_pair_sql(x, p, rows)) for x in sorted(self.deny)))


def _pair_sql(pair: Pair, p: Principal, rows: Rows) -> Clause:
    scope, when = pair
    clauses = [] if scope == "all" else [SCOPES[scope].sql(p, rows)]
    if when != "any":
        clauses.append(when_sql(when, p, rows))
    return and_(true(), *clauses)


class Reason(NamedTuple):
    """One line about an action: whether it fired, and if not, the word that did not hold."""

    line: str
    effect: str
    fired: bool
    missing: str | None


class Snapshot:
    """The policy of one revision.  Safe to share between threads; a request keeps the one it began with."""

    def __init__(self, text: str, revision: int = 0, roles: Iterable[str] | None = None) -> None:
        """Raises InvalidPolicy with line numbers; nothing half-valid is ever in force."""
        self.text, self.revision = text, revision
        self.lines = validate(parse(text), None if roles is None else frozenset(roles))
        self._up = inheritance(self.lines)
        self.cell = lru_cache(maxsize=4096)(self._cell)
        self.closure = lru_cache(maxsize=1024)(self._closure)
        _check_matcher()

    # -- the four answers --------------------------------------------------------------------------------

    def may(self, p: Principal | None, action: str, module: str, facts: Facts, field: str | None = None) -> bool:
        """Whether `p` may do it to a record of these facts.  Microseconds.  Without a person: no."""
        return p is not None and self.cell(p.roles, _object(module, field), action).test(p, facts)

    def ever(self, p: Principal | None, action: str, module: str) -> bool:
        """Whether there is any record of the module to which `p` might do it: what menus and buttons ask."""
        return p is not None and bool(self.cell(p.roles, module, action).allow)

    def where(self, p: Principal | None, action: str, model: type[Base], e: Any = None) -> Clause:
        """The clause that lets through the rows of `model` to which `p` may do `action`.

        `e` is the row source (class, alias, `.c` of a subquery), the class itself when left out.  A record that hangs
        on another is in reach only while that other one is visible.
        """
        if p is None:
            return false()
        rows = Rows(model, model if e is None else e)
        if model.through and _whole_of(model).module == model.module:
            return rows.whole(lambda whole: self.where(p, action, whole.model, whole.e))
        clause = self.cell(p.roles, model.module, action).sql(p, rows)
        if model.through:
            return and_(clause, rows.whole(lambda whole: self.where(p, "view", whole.model, whole.e)))
        return clause

    def guarded(self, p: Principal, model: type[Base], field: str, e: Any, column: ColumnElement[Any]) -> Any:
        """`column` where `p` may see `field`, NULL elsewhere.  The very column when seeing the row is enough."""
        rule = self.guard(p, model, field, e)
        return column if rule is None else case((rule, column), else_=None)

    def guard(self, p: Principal, model: type[Base], field: str, e: Any, action: str = "view") -> Clause | None:
        """The clause under which `field` may be seen (or edited) in a row where `action` is allowed as such.

        None when the right on the row is enough, which is the usual case.
        """
        word = f"{model.module}.{field}"
        if word not in FIELDS:
            return None
        cell, row = self.cell(p.roles, word, action), self.cell(p.roles, model.module, action)
        rows = Rows(model, e)
        if not cell.allow >= row.allow:
            return cell.sql(p, rows)
        # All that allows the row allows the field: what is left are the lines that deny the field alone.
        denied = [not_(_pair_sql(pair, p, rows)) for pair in sorted(cell.deny - row.deny)]
        return and_(*denied) if denied else None

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

    def _cell(self, roles: frozenset[str], obj: str, action: str) -> Cell:
        roles, objects = self.closure(roles), {obj, "*"}
        if obj in FIELDS:
            # A field that stands apart is reached by lines that name it, a wildcard included, not through its module.
            objects |= set() if obj in APART else {FIELDS[obj]}
        actions = {action, "*", *(group for group, members in GROUPS.items() if action in members)}
        lines = tuple(
            line
            for line in self.lines
            if line.kind == "p"
            and line.columns[0] in roles
            and line.columns[1] in objects
            and line.columns[2] in actions
        )
        pairs = {
            effect: frozenset((x[3], x[4]) for x in _columns(lines) if x[5] == effect) for effect in ("allow", "deny")
        }
        return Cell(pairs["allow"], pairs["deny"], lines)

    # -- the judge ---------------------------------------------------------------------------------------

    def enforcer(self, people: Iterable[tuple[str, str]] = ()) -> "casbin.Enforcer":
        """Casbin's own Enforcer over the same lines: the judge of tests, far too slow for requests.

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
        yield from (("g3", member, group) for group, members in GROUPS.items() for member in members)


def _columns(lines: Iterable[Line]) -> Iterable[tuple[str, ...]]:
    return (line.columns for line in lines)


def _object(module: str, field: str | None) -> str:
    return f"{module}.{field}" if field else module


def _whole_of(model: type[Base]) -> type[Base]:
    whole: type[Base] = getattr(model, model.through).property.mapper.class_
    return whole


def _reason(line: Line, p: Principal, facts: Facts) -> Reason:
    scope, when, effect = line.columns[3:6]
    if not SCOPES[scope].test(p, facts):
        return Reason(str(line), effect, fired=False, missing=SCOPES[scope].sentence)
    if not holds(when, facts):
        return Reason(str(line), effect, fired=False, missing=when_sentence(when))
    return Reason(str(line), effect, fired=True, missing=None)


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


def _check_matcher() -> None:
    text = casbin.Enforcer(str(MODEL_FILE)).get_model()["m"]["m"].value
    if text.replace("'", '"') != MATCHER:
        raise InvalidPolicy([f"casbin_model.conf: this matcher cannot be turned into list filters: {text}"])
