"""What can be imported, and which of its columns holds what: types of `importTargets` and `importProposals`."""

import strawberry

from resolvers.imports.fields import ImportField
from resolvers.imports.matching import Proposal
from resolvers.imports.targets import Target
from resolvers.runtime.ids import camel

from ..closed_lists import entity_of
from .enums import EntityNameType
from .imports import ImportFieldKind, ImportStrategy


@strawberry.type(name="ImportChoice", description="One of the values of a field, and what it is called.")
class ImportChoiceType:
    value: str
    """What is stored."""
    label: str
    """What a cell says, in your language."""


@strawberry.type(name="ImportField", description="A field that a column of a sheet may hold, under your rights.")
class ImportFieldType:
    key: str
    """The key of the field, for `setImportMapping`."""
    input: str = strawberry.field(description="What it fills: two fields with one input name the same thing.")
    name: str
    """What the field is called, in your language."""
    kind: ImportFieldKind
    """What its cells hold."""
    is_required: bool
    """Whether every new record needs a value."""
    is_key: bool = strawberry.field(description="Whether it finds existing records, alone or with others.")
    is_written: bool = strawberry.field(description="Whether you may set it; else it only finds a record.")
    is_new_only: bool = strawberry.field(description="Whether it is set on new records only.")
    has_several: bool = strawberry.field(description="Whether a cell may hold several, apart by a semicolon.")
    length: int | None = strawberry.field(description="Maximum number of characters.")
    dictionary: str | None = strawberry.field(description="The code of the dictionary whose words it holds.")
    choices: list[ImportChoiceType]
    """The values that its cells may hold; empty where there is no fixed list."""
    reference: EntityNameType | None = strawberry.field(description="The type of the record that a cell names.")
    example: str
    """A value as a template shows it."""


@strawberry.type(name="ImportTarget", description="Something that sheets bring in.")
class ImportTargetType:
    code: str
    name: str
    """What the rows become, in your language."""
    entity: EntityNameType = strawberry.field(description="The type of its records.")
    fields: list[ImportFieldType] = strawberry.field(description="Required ones first.")
    keys: list[list[str]] = strawberry.field(description="The ways to find an existing record.")
    once: list[str] = strawberry.field(description="Inputs that you may give for all rows at once.")


@strawberry.type(name="ImportUnit", description="What a heading says of the amounts below it.")
class ImportUnitType:
    factor: int = strawberry.field(description="What they are multiplied by.")
    currency: str | None
    """The currency, three letters of ISO 4217; null where the heading names none."""
    text: str
    """The unit as the heading writes it."""


@strawberry.type(name="ImportProposal", description="What is proposed for a column.")
class ImportProposalType:
    place: int
    """The place of the column in the sheet, from 0."""
    heading: str
    """The heading of the column."""
    field: ImportFieldType | None = strawberry.field(description="Null to leave it out.")
    confidence: float = strawberry.field(description="0 to 1.")
    strategy: ImportStrategy
    """How the field was found."""
    reason: str = strawberry.field(description="A sentence in your language.")
    samples: list[str] = strawberry.field(description="Up to three values, as they stand in the sheet.")
    unit: ImportUnitType | None
    """What the heading says about the unit of amounts; null for none."""


def shown_target(target: Target, fields: tuple[ImportField, ...], language: str) -> ImportTargetType:
    names, known = target.names, {x.key for x in fields} | {x.input for x in fields}
    return ImportTargetType(
        code=target.code,
        name=(names.zh_many or names.zh) if language.startswith("zh") else names.many,
        entity=entity_of(target.model),
        fields=[shown_field(each, language) for each in fields],
        keys=[[*map(camel, keys)] for keys in target.keys if known.issuperset(keys)],
        once=sorted(camel(each) for each in target.once),
    )


def shown_field(each: ImportField, language: str) -> ImportFieldType:
    at = language.startswith("zh")
    return ImportFieldType(
        key=camel(each.key),
        input=camel(each.input),
        name=each.say(language),
        kind=each.kind,
        is_required=each.is_required,
        is_key=each.is_key,
        is_written=each.is_written,
        is_new_only=each.is_new_only,
        has_several=each.has_several,
        length=each.length,
        dictionary=each.dictionary,
        choices=[ImportChoiceType(value=x.member, label=x.chinese if at else x.english) for x in each.choices],
        reference=entity_of(each.reference) if each.reference else None,
        example=each.example[at],
    )


def shown_proposal(each: Proposal, language: str) -> ImportProposalType:
    unit = each.unit
    return ImportProposalType(
        place=each.place,
        heading=each.header,
        field=shown_field(each.field, language) if each.field else None,
        confidence=each.confidence,
        strategy=each.strategy,
        reason=each.reason.say(language),
        samples=[*each.samples],
        unit=ImportUnitType(factor=unit.factor, currency=unit.currency or None, text=unit.text) if unit.text else None,
    )
