"""One immutable state of the policy: lines partially evaluated into cells, and what cells answer.

A cell is what is left of the lines once roles, object and action are known: pairs of (scope, state) that allow
and that deny.  The one cell gives the record check, the SQL clause, the guarded column and the explanation, so
they cannot disagree.  A change of the policy builds a new snapshot; nothing is ever changed in place.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import casbin
from casbin.persist import Adapter
from sqlalchemy import ColumnElement, True_, and_, case, false, not_, null, true

from models import Base

from .lines import InvalidPolicy, Line, inheritance, parse, validate
from .objects import APART, FIELDS, GROUPS, LISTED
from .principal import Principal
from .rows import Clause, Rows
from .saying import sentence
from .words import SCOPES, Facts, can_hold, either, holds, together, unmet, when_sql

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

Pair = tuple[str, str]
_ALL: Pair = ("all", "any")


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
        if not self.allow or _ALL in self.deny:
            return false()
        allow = true() if _ALL in self.allow else either(_pair_sql(x, p, rows) for x in sorted(self.allow))
        return together([allow, *(not_(_pair_sql(x, p, rows)) for x in sorted(self.deny))])

    def within(self, row: "Cell") -> "Cell | None":
        """What is left to ask about a field where `row` allows the record as such; None when that is enough."""
        if not self.allow >= row.allow:
            return self
        # All that allows the record allows the field: what is left are the lines that deny the field alone.
        return Cell(frozenset({_ALL}), self.deny - row.deny, self.lines) if self.deny - row.deny else None


def _pair_sql(pair: Pair, p: Principal, rows: Rows) -> Clause:
    """The clause of a pair, written once per person and row source."""
    key = pair, rows.model, id(rows.e), rows.by_row
    if key not in p.written:
        p.written[key] = _write_pair(pair, p, rows), rows.e  # kept with it, or its id might be given to another
    clause: Clause = p.written[key][0]
    return clause


def _write_pair(pair: Pair, p: Principal, rows: Rows) -> Clause:
    scope, when = pair
    clauses = [] if scope == "all" else [SCOPES[scope].sql(p, rows)]
    if when != "any":
        clauses.append(when_sql(when, p, rows))
    return together(clauses)


class Reason(NamedTuple):
    """One line about an action: whether it fired, and if not, its first word that did not hold: `own`, `!locked`."""

    line: str
    effect: str
    fired: bool
    missing: str | None

    def why_not(self, language: str = "en") -> str | None:
        """What would have to be true for the line to fire; None when it did."""
        return None if self.missing is None else sentence(self.missing, language)


class Snapshot:
    """The policy of one revision.  Safe to share between threads; a request keeps the one it began with."""

    def __init__(self, text: str, revision: int = 0, roles: Iterable[str] | None = None) -> None:
        """Raises InvalidPolicy with line numbers; nothing half-valid is ever in force."""
        self.text, self.revision = text, revision
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

    # -- the four answers --------------------------------------------------------------------------------

    def may(self, p: Principal | None, action: str, module: str, facts: Facts, field: str | None = None) -> bool:
        """Whether `p` may do it to a record of these facts.  Microseconds.  Without a person: no.

        Of a record that hangs on another this is half the answer: `where` also asks whether that one is visible.
        """
        return p is not None and self.cell(p.roles, _object(module, field), action).test(p, facts)

    def ever(self, p: Principal | None, action: str, module: str) -> bool:
        """Whether there is any record of the module to which `p` might do it: what menus and buttons ask.

        A line about pools, or about a department, says nothing to who has none.
        """
        if p is None:
            return False
        cell = self.cell(p.roles, module, action)
        return _ALL not in cell.deny and any(can_hold(scope, p) for scope, _ in cell.allow)

    def where(self, p: Principal | None, action: str, model: type[Base], e: Any = None) -> Clause:
        """The clause that lets through the rows of `model` to which `p` may do `action`.

        `e` is the row source (class, alias, `.c` of a subquery), the class itself when left out.  A record that hangs
        on another is in reach only while that other one is visible.
        """
        if p is None:
            return false()
        return self._clause(p, action, model) if e is None else self._where(p, action, Rows(model, e, p.sees_many))

    def _where_of(self, p: Principal, action: str, model: type[Base]) -> Clause:
        return self._where(p, action, Rows(model, model, p.sees_many))

    def _where(self, p: Principal, action: str, rows: Rows) -> Clause:
        model = rows.model
        if is_part(model):
            return rows.whole(lambda whole: self._listed(p, action, whole, LISTED.get(model)))
        clause = self.cell(p.roles, model.module, action).sql(p, rows)
        if model.visible_through:
            return and_(clause, rows.whole(lambda whole: self._where(p, "view", whole)))
        return clause

    def _listed(self, p: Principal, action: str, whole: Rows, field: str | None) -> Clause:
        """The records whose parts are in reach: those that are themselves, unless the list of parts is hidden."""
        clause = self._where(p, action, whole)
        guard = self._guard(p, whole, field or "", "edit" if action == "edit" else "view")
        return clause if guard is None else and_(clause, guard)

    def guarded(self, p: Principal | None, model: type[Base], field: str, e: Any, column: ColumnElement[Any]) -> Any:
        """`column` where `p` may see `field`, NULL elsewhere.  The very column when seeing the row is enough."""
        if p is None:
            return null()
        rule = self.guard(p, model, field, e)
        return column if rule is None else case((rule, column), else_=None)

    def guard(self, p: Principal, model: type[Base], field: str, e: Any, action: str = "view") -> Clause | None:
        """The clause under which `field` may be seen (or edited) in a row where `action` is allowed as such.

        None when the right on the row is enough, which is the usual case.  A part is asked about as its whole.
        """
        return self._guard(p, Rows(model, e, p.sees_many), field, action)

    def _guard(self, p: Principal, rows: Rows, field: str, action: str) -> Clause | None:
        model = rows.model
        word = f"{model.module}.{field}"
        if word not in FIELDS:
            return None
        left = self.cell(p.roles, word, action).within(self.cell(p.roles, model.module, action))
        if left is None:
            return None
        clause = rows.whole(lambda whole: left.sql(p, whole)) if is_part(model) else left.sql(p, rows)
        return None if isinstance(clause, True_) else clause

    def may_hide(self, p: Principal, model: type[Base], field: str) -> bool:
        """Whether some line hides `field` in some record that is seen: from somebody, if not from this person now."""
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
        yield from (("g3", member, group) for group, members in GROUPS.items() for member in members)


def _columns(lines: Iterable[Line]) -> Iterable[tuple[str, ...]]:
    return (line.columns for line in lines)


def _object(module: str, field: str | None) -> str:
    return f"{module}.{field}" if field else module


@cache
def is_part(model: type[Base]) -> bool:
    """Whether rows of `model` are the same thing, to the policy, as the record they hang on: they share its module."""
    if not model.visible_through:
        return False
    whole: type[Base] = getattr(model, model.visible_through).property.mapper.class_
    return whole.module == model.module


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
