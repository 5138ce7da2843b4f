"""`millpond fields`: custom fields of records, with the rights of one person."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..terminal import backend, group, look, person, say, spelled

if TYPE_CHECKING:
    from resolvers.runtime.backend import Backend
    from resolvers.runtime.scope import Scope

commands = group("Custom fields of customers, contacts, opportunities and follow-ups.")

Of = Annotated[str, typer.Argument(help="The records: customers, contacts, opportunities or follow-ups.")]
Key = Annotated[str, typer.Argument(help="The key of the field, as `millpond fields list` shows it.")]
As = Annotated[str, typer.Option("--as", help="The login of the person whose rights count.", show_default=False)]


@commands.command("list")
def list_fields(of: Of, *, login: As) -> None:
    """Print the fields in their order: key, kind, names, and whether one is required, searchable or retired."""
    with backend() as at:
        from resolvers.records.custom_fields import definitions

        for row in look(person(at, login), definitions, _module(of)):
            marks = {
                "required": row.is_required,
                "searchable": row.is_searchable,
                "retired": row.retired_at is not None,
            }
            marked = ", ".join(mark for mark, holds in marks.items() if holds)
            typer.echo("\t".join((row.key, row.kind.value, row.label_en, row.label_zh or "", marked)))


@commands.command()
def add(
    of: Of,
    kind: Annotated[str, typer.Argument(help="What it holds, like text, number, date or single-choice.")],
    *,
    login: As,
    name: Annotated[str, typer.Option(help="The English name.")] = "",
    name_zh: Annotated[str, typer.Option(help="The Chinese name.")] = "",
    key: Annotated[str, typer.Option(help="The key; made of the name unless it is given.")] = "",
    option: Annotated[
        list[str] | None, typer.Option(help="An option of a choice as English|Chinese; once for each, in order.")
    ] = None,
    dictionary: Annotated[str, typer.Option(help="The code of a dictionary that holds the options.")] = "",
    target: Annotated[str, typer.Option(help="The records that a reference holds, like customers.")] = "",
    required: Annotated[bool, typer.Option("--required", help="New records need it.")] = False,
    searchable: Annotated[bool, typer.Option("--searchable", help="Make an index, by a worker.")] = False,
) -> None:
    """Define a field.  It is there for everybody with their next request."""
    given: dict[str, Any] = {"label_en": name, "label_zh": name_zh, "key": key, "dictionary": dictionary}
    given = {field: text for field, text in given.items() if text}
    given |= {"target": _module(target)} if target else {}
    given |= {"options": [_option(text) for text in option]} if option else {}
    with backend() as at:
        from models import CustomField
        from resolvers.records.create_update import create

        fixed = {"for_module": _module(of), "kind": _kind(kind), "is_required": required, "is_searchable": searchable}
        field = person(at, login).do(create, CustomField, {**fixed, **given})
    say(f"The field {field.key} is there.")


@commands.command()
def retire(of: Of, key: Key, *, login: As) -> None:
    """Take a field out of forms and lists; its values stay."""
    with backend() as at:
        from resolvers.records import custom_fields

        _each(at, login, of, key, custom_fields.retire)
    say(f"The field {key} is retired.")


@commands.command("bring-back")
def bring_back(of: Of, key: Key, *, login: As) -> None:
    """Offer a retired field again, with its values."""
    with backend() as at:
        from resolvers.records import custom_fields

        _each(at, login, of, key, custom_fields.bring_back)
    say(f"The field {key} is in use again.")


@commands.command("change-kind")
def change_kind(
    of: Of,
    key: Key,
    kind: Annotated[str, typer.Argument(help="What it is to hold.")],
    *,
    login: As,
    dictionary: Annotated[str, typer.Option(help="The code of a dictionary, or anew for one of the texts.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Change it; without it only what would happen is said.")] = False,
) -> None:
    """Say what another kind would do to the stored values, and change it with --yes.  Exit 1 if some do not convert."""
    with backend() as at:
        from resolvers.records import custom_kinds

        scope, wanted = person(at, login), _kind(kind)
        id = _id(scope, of, key)
        if yes:
            scope.do(custom_kinds.change_kind, id, wanted, dictionary or None)
            say(f"The field {key} is changed.")
            return
        found = look(scope, custom_kinds.preview_kind, id, wanted, dictionary or None)
    say(f"{found.converts} of {found.total} stored values convert.")
    if found.options:
        say(f"Options: {', '.join(found.options)}")
    for each in found.stuck:
        say(f"  {each.name or 'a record out of your sight'}: {each.text or '–'}")
    raise typer.Exit(0 if found.is_possible else 1)


@commands.command()
def missing(of: Of, key: Key, *, login: As) -> None:
    """Say how many records hold a value, and how many lack one, as far as the person sees them."""
    with backend() as at:
        from resolvers.records.custom_fields import use_of

        scope = person(at, login)
        id = _id(scope, of, key)
        found = look(scope, use_of, id)
    say(f"{found.filled:,} records hold a value, {found.missing:,} lack one.")


def _each(at: "Backend", login: str, of: str, key: str, use_case: Any) -> None:
    scope = person(at, login)
    outcome = scope.do(use_case, [_id(scope, of, key)])
    for problem in outcome.problems:
        raise problem


def _id(scope: "Scope", of: str, key: str) -> int:
    """The id of a field, retired ones included.  Raises NotFound."""
    from models import CustomField
    from models.errors import NotFound

    found = scope.policy.book.find(_module(of), f"custom.{key}")
    if found is None:
        raise NotFound(what=CustomField.names)
    return found.id


def _module(of: str) -> str:
    """`customers`, `customer`, `Follow-ups` or `客户`.  Raises Validation."""
    from models.errors import Validation
    from resolvers.records.custom_fields import CUSTOMISED

    for module, model in CUSTOMISED.items():
        if spelled(of) in map(spelled, (module, model.names.one, model.names.many, model.names.zh)):
            return module
    known = ", ".join(model.names.nouns for model in CUSTOMISED.values())
    raise Validation(
        f"“{of[:40]}” have no custom fields; choose {known}.", f"“{of[:40]}”没有自定义字段，可选：{known}。"
    )


def _kind(text: str) -> Any:
    from models.custom_field import CustomKind
    from models.errors import Validation

    word = spelled(text).replace(" ", "_").upper()
    if word not in tuple(CustomKind):
        known = ", ".join(kind.value.lower().replace("_", "-") for kind in CustomKind)
        raise Validation(f"There is no kind “{text[:40]}”; choose {known}.", f"没有类型“{text[:40]}”，可选：{known}。")
    return CustomKind(word)


def _option(text: str) -> dict[str, Any]:
    english, _, chinese = text.partition("|")
    return {"label_en": english.strip() or None, "label_zh": chinese.strip() or None}
