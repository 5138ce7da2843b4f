"""What can be imported: an entity joins with one `declare(Target(…))` in a file of this package.

The fields derive from the form of a new record and of one that is there, under the rights of the caller, so a new column
of a model is a column of its sheets.  What the forms cannot know is said here: which customer a contact belongs to is named
in a sheet by number or name, and its phones stand in columns of their own.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, Entity, Organisation
from models.custom_field import is_custom
from models.database.bypass import Because, bypass_policy
from models.declaration import Misdeclared
from models.errors import Validation
from models.names import Names

from ..records.form_schema import FormField, settable, visible_field, writable
from ..runtime.custom_fields import names_in_files
from ..runtime.scope import Scope
from .fields import FieldKind, ImportField, import_field, named

NUMBERED = {Customer: "customer_number"}
"""An entity whose records a sheet may name in a column for the number, beside the one for the name."""


@dataclass(frozen=True)
class Target:
    """One thing that sheets bring in.

    `code` names it in addresses and commands.  `keys`: the ways to find an existing record, each of fields that find it
    together.  `without`: inputs that its sheets do not have.  `required`: inputs that they need beyond those of forms.
    `once`: inputs that the caller may give for all rows at once.  `parts`: columns that stand for an input which is a
    list.  `besides`: columns that no form has, each with the right that it takes.
    """

    code: str
    model: type[Entity]
    names: Names
    keys: tuple[tuple[str, ...], ...] = ()
    without: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    once: frozenset[str] = frozenset()
    parts: Mapping[str, tuple[ImportField, ...]] = field(default_factory=dict)
    besides: tuple[tuple[str, ImportField], ...] = ()

    @property
    def right(self) -> str:
        """The right to import it: `customer.import`."""
        return f"{self.model.module}.import"


_TARGETS: dict[str, Target] = {}


def declare(target: Target) -> Target:
    """Note a target.  Raises Misdeclared for a code that another one has."""
    first = _TARGETS.setdefault(target.code, target)
    if first is not target:
        raise Misdeclared(f"resolvers/imports: two targets have the code “{target.code}”. Choose another.")
    return target


def targets() -> tuple[Target, ...]:
    """Everything that can be imported, in the order of declaration.  Raises Misdeclared for inputs that there are not.

    Complete once `resolvers.load` has run.
    """
    for code in _TARGETS.keys() - _CHECKED:
        _check_inputs(_TARGETS[code])
        _CHECKED.add(code)
    return tuple(_TARGETS.values())


_CHECKED: set[str] = set()


def _check_inputs(target: Target) -> None:
    known = {*settable(target.model, creating=True), *settable(target.model, creating=False)}
    if unknown := sorted({*target.without, *target.required, *target.once, *target.parts} - known):
        raise Misdeclared(f"resolvers/imports: {target.code} names inputs that no form has: {', '.join(unknown)}.")


def target_of(code: str) -> Target:
    """The target with this code.  Raises Validation."""
    if (found := next((x for x in targets() if x.code == code), None)) is None:
        raise Validation("This cannot be imported.", "不支持导入此内容。", field="target")
    return found


def offered_targets(scope: Scope) -> tuple[Target, ...]:
    """The targets that the caller has the right to import, as far as the policy says without a record."""
    return tuple(
        x for x in targets() if scope.policy.ever(scope.person, "import", x.model.module) and fields_for(scope, x)
    )


# --- fields ----------------------------------------------------------------------------------------------


def fields_for(scope: Scope, target: Target, besides: Collection[str] = ()) -> tuple[ImportField, ...]:
    """The fields that the caller may set by an import, and those that only find a record: required ones first, then as
    in forms.  Empty for a caller who may neither create nor edit such records.

    `besides`: inputs that the organisation requires, see `required_besides`.  No query.
    """
    new, old = (writable(scope, target.model, creating=creating) for creating in (True, False))
    if not (new or old):
        return ()
    changeable = {x.key for x in old}
    found = [
        replace(each, is_new_only=each.input not in changeable)
        for form in _in_form_order(target, new, old)
        for each in _fields_of(target, form, besides)
    ]
    found += [each for right, each in target.besides if scope.policy.ever(scope.person, *reversed(right.split(".")))]
    found += _finding(scope, target, {x.key for x in found})
    if any(is_custom(x.key) for x in found):
        names = names_in_files(scope.policy, scope.person, target.model)
        found = [replace(x, label=names[x.key]) if x.key in names else x for x in found]
    return tuple(sorted((_marked(target, x) for x in found), key=lambda x: not x.is_required))


def required_besides(db: Session, target: Target) -> frozenset[str]:
    """The inputs that the organisation requires of a new record beyond its columns.  One query for customers, else none."""
    if target.model is not Customer:
        return frozenset()
    needed = db.execute(
        select(Organisation.contact_required), execution_options=bypass_policy(Because.APPLIES_TO_ALL)
    ).scalar()
    return frozenset({"contact_name", "contact_phone"}) if needed else frozenset()


def missing(fields: Collection[ImportField], mapped: Collection[str], given: Collection[str] = ()) -> list[ImportField]:
    """The required fields that neither a column (`mapped`, keys of fields) nor the caller (`given`, inputs) provides."""
    there = {x.input for x in fields if x.key in mapped} | set(given)
    return [x for x in fields if x.is_required and x.input not in there]


# --- steps -----------------------------------------------------------------------------------------------


def _in_form_order(target: Target, new: list[FormField], old: list[FormField]) -> Iterator[FormField]:
    known = {x.key: x for x in (*old, *new)}
    columns = (*settable(target.model, creating=True), *settable(target.model, creating=False))
    for key in dict.fromkeys((*columns, *(x.key for x in known.values() if x.custom is not None))):
        if key in known and key not in target.without:
            yield known[key]


def _fields_of(target: Target, form: FormField, besides: Collection[str]) -> Iterator[ImportField]:
    """The columns for one input: its parts, the number and the name of a record, or itself.

    The column of the number belongs to the customer of a record; a custom reference takes numbers in its own.
    """
    if form.key in target.parts:
        yield from target.parts[form.key]
        return
    required = form.required or form.key in target.required or form.key in besides
    plain = import_field(target.model, form, is_required=required)
    yield plain
    if plain.reference in NUMBERED and form.custom is None:
        key = NUMBERED[plain.reference]
        number = named(target.model, key, FieldKind.RECORD, input=plain.key)
        yield replace(number, reference=plain.reference, by=("number",), is_new_only=plain.is_new_only)


def _finding(scope: Scope, target: Target, there: Collection[str]) -> Iterator[ImportField]:
    """The columns that find a record which the caller may change, though not them."""
    for key in dict.fromkeys(key for keys in target.keys for key in keys if key not in there):
        if key in target.model.__table__.c and (form := visible_field(scope, target.model, key)) is not None:
            yield replace(import_field(target.model, form, is_required=False), is_written=False)


def _marked(target: Target, each: ImportField) -> ImportField:
    is_key = any(each.key in keys or each.input in keys for keys in target.keys)
    return replace(each, is_key=is_key) if is_key else each
