"""Filter of the operation log: which entries a page has, as conditions that the indexes of the log can serve."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, and_, or_, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from models import ENTITIES, AuditEntry, Base, Customer, Entity
from models.audit.entries import Outcome
from policies.objects import MODULES

from ..reading.clauses import search_text
from ..reading.matching import matching
from ..reading.search import ABOUT_CUSTOMERS
from ..runtime.ids import LARGEST_ID
from ..runtime.viewer import Clause, Viewer
from . import redaction

MODELS: dict[str, type[Entity]] = {model.__tablename__: model for model in ENTITIES}
"""Name of an entity in the log -> the entity."""
_ABOUT: tuple[type[Base], ...] = (Customer, *ABOUT_CUSTOMERS)


@dataclass(frozen=True)
class Wanted:
    """Filter of the operation log; all given conditions must hold.

    `action` is a whole action (`customer.claim`), a module (`customer`) or a verb (`.claim`).  `since` is inclusive,
    `until` exclusive.  `text` is a part of the label, or the customer of what the entry is about, and finds no entries about hidden records.  `folded` leaves of each
    use case the first entry that meets the other conditions: one line for a transfer of two hundred customers.
    """

    actor_id: int | None = None
    model: type[Entity] | None = None
    record_id: int | None = None
    action: str | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None
    batch_id: str | None = None
    text: str | None = None
    folded: bool = False


FOLD = ("batch_id", "action", "at")
"""What the entries of one use case have in common.  A batch alone may be long: a job, or the whole demo."""


Named = Callable[[Any], Clause] | None
"""Column of ids of customers -> condition that the text finds the customer; None for a text without words."""


def first_of_fold(viewer: Viewer, wanted: Wanted, e: Any, named: Named) -> Clause:
    """The condition that no earlier entry of the use case is shown by the same filter."""
    other = AuditEntry.__table__.alias()
    shown = [viewer.rows(AuditEntry, other.c), *clauses_of(viewer, wanted, other.c, named)]
    same = (other.c[key] == getattr(e, key) for key in FOLD)
    earlier = select(other.c.id).where(*same, other.c.id < e.id, *shown)
    return ~earlier.exists()


def clauses_of(viewer: Viewer, wanted: Wanted, e: Any, named: Named) -> Iterator[Clause]:
    """The conditions of a filter on the entries `e`; `named` tests the customers of what the entries are about.  Raises Validation for a text that is too long."""
    tables = [wanted.model.__tablename__] if wanted.model is not None else None
    if wanted.record_id is not None and tables is None:
        tables = sorted(MODELS)  # changes no result, but lets SQL use the index that begins with the table
    text = search_text(wanted.text or "")
    tree = {
        "actor_id": {"eq": None if wanted.actor_id is None else storable_id(wanted.actor_id)},
        "entity": {"in": tables},
        "record_id": {"eq": None if wanted.record_id is None else storable_id(wanted.record_id)},
        "action": _action_condition(_plain(wanted.action)),
        "outcome": {"eq": wanted.outcome},
        "at": {"gte": wanted.since, "lt": wanted.until},
        "batch_id": {"eq": _plain(wanted.batch_id)},
    }
    yield matching(viewer, AuditEntry, e, tree)
    if text:
        labelled = matching(viewer, AuditEntry, e, {"label": {"contains": text}})
        ways = [and_(labelled, redaction.label_is_visible(viewer, e))]
        yield or_(*ways, *(_is_about(viewer, model, e, named) for model in _ABOUT if named is not None))


def _is_about(viewer: Viewer, model: type[Base], e: Any, named: Callable[[Any], Clause]) -> Clause:
    """Condition: the entry is about a record of `model` that the viewer sees, and whose customer, or which itself, the text finds."""
    row = model.__table__.alias()
    customer_id = row.c.id if model is Customer else row.c.customer_id
    about = select(row.c.id).where(named(customer_id), viewer.rows(model, row.c)).execution_options(policy=True)
    is_one = viewer.value(AuditEntry, e, "record_id").in_(about.correlate(None))
    labels = viewer.guard(AuditEntry, "label", e)  # a reader of no names searches for none
    return and_(e.entity == model.__tablename__, is_one, true() if labels is None else labels)


def _action_condition(action: str | None) -> Mapping[str, Any]:
    """`customer.claim` as an equality, `customer` as an index range, `.claim` as a list of all modules."""
    if not action:
        return {}
    if action.startswith("."):
        return {"in": [f"{module}{action}" for module in sorted(MODULES)]}
    if "." in action:
        return {"eq": action}
    return {"gte": f"{action}.", "lt": f"{action}/"}  # `/` is the character after `.`


def _plain(text: str | None) -> str | None:
    """A word that the database can take; None for an empty one."""
    return (text or "").replace("\0", "").strip() or None


def storable_id(id: int) -> int:
    """An id that a column can hold; 0, which no record has, for any other."""
    return id if 0 < id <= LARGEST_ID else 0


def is_narrow(wanted: Wanted) -> bool:
    """Whether a condition has an index and may match few entries."""
    return any((wanted.actor_id, wanted.model, wanted.record_id, wanted.action, wanted.batch_id))


class UnindexedKey(FunctionElement[int]):
    """A sort key that SQLite does not use as an index: `+id`.

    SQLite does not know how often a value occurs.  It would walk the index of the sort key to save the sorting, which
    is the whole table where a value is rare.
    """

    type = Integer()
    inherit_cache = True


@compiles(UnindexedKey)
def _plain_key(element: UnindexedKey, compiler: Any, **how: Any) -> str:
    return str(compiler.process(element.clauses, **how))


@compiles(UnindexedKey, "sqlite")
def _plain_key_on_sqlite(element: UnindexedKey, compiler: Any, **how: Any) -> str:
    return f"+{compiler.process(element.clauses, **how)}"
