"""The query `formSchema`: the fields of a form that the caller may see or set."""

from decimal import Decimal
from typing import Any

import strawberry
from strawberry.scalars import JSON

from models.audit.entries import plain
from resolvers.records import form_schema as forms
from resolvers.runtime.ids import number_of

from ..closed_lists import CLOSED, KINDS_OF_RECORDS, EntityName, FormAction, model_name, snake
from ..contract import GraphQLInfo, query
from ..types import make
from ..types.enums import EntityNameType
from ..types.scalars import Number

FormActionType: Any = make.enum_of(FormAction)


@strawberry.type(description="A value that a field offers.")
class FormOption:
    value: str = strawberry.field(description="What an input takes: the key of a word, or the member of an enum.")
    label: str = strawberry.field(description="What it is called, in your language.")
    depth: int = strawberry.field(description="How many words of the dictionary stand above it.")
    parent: str | None = strawberry.field(description="The value of the word right above it.")


@strawberry.type(description="A field, and the values that it has to hold.")
class FormFieldValue:
    field: str
    """The name of the other field."""
    values: list[str] | None = strawberry.field(description="One of these; null for any value.")


@strawberry.type(description="A condition on other fields of a form, all of which have to hold their values.")
class FormCondition:
    all: list[FormFieldValue]
    """The fields and their values."""


@strawberry.type(
    description="A field of a form: what it holds, and what you may do with it. Fields come in their order."
)
class FormField:
    name: str = strawberry.field(description="Its name in the input, and in the record.")
    type: make.enum_of(forms.FieldType)  # type: ignore[valid-type]  # made from the use case's enum
    """What the input holds, and so which control fits."""
    required: bool = strawberry.field(description="Whether a new record needs it.")
    required_when: list[FormCondition] = strawberry.field(
        description="A new record needs it, too, where one of these conditions holds."
    )
    one_of: list[str] = strawberry.field(description="A new record needs one of these fields; this one is among them.")
    excludes: list[str] = strawberry.field(description="The fields that may not be given beside it.")
    together: list[str] = strawberry.field(
        description="The fields that mean one thing with it: edits of two people in them are never merged."
    )
    visible: bool = strawberry.field(description="Whether you may see it, in this record or in some.")
    editable: bool = strawberry.field(
        description="Whether you may set it; of owner and pool of a new record, to something else than yourself."
    )
    length: int | None = strawberry.field(description="Maximum number of characters.")
    min: Number | None = strawberry.field(description="The smallest number that is taken.")
    max: Number | None = strawberry.field(description="The largest number that is taken.")
    decimals: int | None = strawberry.field(description="Maximum number of digits after the point.")
    earliest: str | None = strawberry.field(description="The earliest day or time that is taken.")
    latest: str | None = strawberry.field(description="The latest day or time that is taken.")
    max_items: int | None = strawberry.field(description="Maximum number of items of a list.")
    default: JSON | None = strawberry.field(description="What a new record holds where the field is left out.")
    example: str | None = strawberry.field(description="What a text may look like, in your language.")
    dictionary: str | None = strawberry.field(description="The code of the dictionary whose words it holds.")
    choices: list[str] = strawberry.field(description="The members of the enum that it holds.")
    options: list[FormOption] = strawberry.field(
        description="The values that it offers, archived words left out, each word below the one that it belongs to."
    )
    has_more_options: bool = strawberry.field(
        description="Whether its words are too many for `options`: look for them in `dictionaryItems`."
    )
    reference: EntityNameType | None = strawberry.field(description="The type of the record whose id it holds.")
    kind_in: str | None = strawberry.field(
        description="The field that says of which type the record is whose id it holds."
    )
    custom_key: str | None = strawberry.field(description="The key of a custom field; `name` is `custom.` and the key.")
    label: str = strawberry.field(description="What it is called, in your language.")
    help: str | None = strawberry.field(description="What a form says below the field, in your language.")


@query("system.form")
async def form_schema(
    info: GraphQLInfo, entity: EntityNameType, action: FormActionType, record_id: strawberry.ID | None = None
) -> list[FormField] | None:
    """Every field of a type that you may see or set when you create a record, or edit this one, or any."""
    model = KINDS_OF_RECORDS.get(entity.value)
    id = number_of(model, record_id) if model is not None and record_id is not None else None
    found = await forms.form(info.context.scope, model_name(entity), str(action.value), id)
    return [_field(x, model, info.context.scope.language) for x in found]


def _field(x: forms.FormField, model: Any, language: str) -> FormField:
    at, closed = language.startswith("zh"), CLOSED.get((model, x.key))
    names = closed.names() if closed is not None else {}
    return FormField(
        name=x.name,
        type=x.type,
        required=x.required,
        required_when=[FormCondition(all=[_value(*each) for each in when.all]) for when in x.required_when],
        one_of=[*x.one_of],
        excludes=[*x.excludes],
        together=[*x.together],
        visible=x.visible,
        editable=x.editable,
        length=x.length,
        min=_number(x.low),
        max=_number(x.high),
        decimals=x.decimals,
        earliest=plain(x.earliest) if x.earliest is not None else None,
        latest=plain(x.latest) if x.latest is not None else None,
        max_items=x.most,
        default=JSON(names.get(x.default, x.default)) if x.default is not None else None,
        example=x.example[at] if x.example else None,
        dictionary=x.dictionary,
        choices=[names.get(each, each) for each in x.choices],
        options=[
            FormOption(
                value=names.get(each.value, each.value), label=each.said[at], depth=each.depth, parent=each.parent
            )
            for each in x.options
        ],
        has_more_options=x.has_more_options,
        reference=EntityName(snake(x.reference)) if x.reference else None,
        kind_in=x.kind_in,
        custom_key=x.custom.key if x.custom else None,
        label=x.said[at],
        help=x.custom.help(language) if x.custom else None,
    )


def _number(value: Decimal | None) -> Any:
    """A bound without zeros behind the point."""
    return None if value is None else f"{value.normalize():f}"


def _value(field: str, values: tuple[str, ...] | None) -> FormFieldValue:
    return FormFieldValue(field=field, values=None if values is None else [*values])
