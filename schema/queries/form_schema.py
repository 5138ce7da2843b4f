"""The query `formSchema`: the fields of a form that the caller may see or set."""

import strawberry

from models import ENTITIES
from resolvers.records import form_schema as forms
from resolvers.runtime.ids import number_of

from ..contract import GraphQLInfo, query
from ..types import make


@strawberry.type(description="A field of a form: what it holds, and what you may do with it.")
class FormField:
    name: str
    type: make.enum_of(forms.FieldType)  # type: ignore[valid-type]  # made from the use case's enum
    required: bool
    visible: bool
    editable: bool
    length: int | None
    dictionary: str | None = strawberry.field(description="The code of the dictionary whose words it holds.")
    choices: list[str]
    reference: str | None = strawberry.field(description="The type of the record whose id it holds.")
    custom_key: str | None = strawberry.field(description="The key of a custom field; `name` is `custom.` and the key.")
    label: str | None = strawberry.field(description="The name of a custom field, in your language.")
    help: str | None = strawberry.field(description="What a form says below a custom field, in your language.")


@query("system.form")
async def form_schema(
    info: GraphQLInfo, entity: str, action: str, record_id: strawberry.ID | None = None
) -> list[FormField] | None:
    """Every field of a type that you may see or set when you create a record, or edit this one, or any."""
    model = next((x for x in ENTITIES if x.__name__ == entity), None)
    id = number_of(model, record_id) if model is not None and record_id is not None else None
    found = await forms.form(info.context.scope, entity, action, id)
    return [_field(x, info.context.scope.language) for x in found]


def _field(x: forms.FormField, language: str) -> FormField:
    return FormField(
        name=x.name,
        type=x.type,
        required=x.required,
        visible=x.visible,
        editable=x.editable,
        length=x.length,
        dictionary=x.dictionary,
        choices=list(x.choices),
        reference=x.reference,
        custom_key=x.custom.key if x.custom else None,
        label=x.custom.label(language) if x.custom else None,
        help=x.custom.help(language) if x.custom else None,
    )
