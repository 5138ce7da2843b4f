"""Entities that a test need not know: what a record of one needs is text, so that the sweep and the log make one themselves."""

from sqlalchemy import Enum, String

from models import ENTITIES, Entity
from models.base import columns, trait_of


def needed(model: type[Entity]) -> dict[str, str] | None:
    """The values without which no record can be created; None if one of them is more than a text."""
    found: dict[str, str] = {}
    for column in columns(model):
        trait = trait_of(column)
        if trait.system_managed or column.primary_key or trait.generated:
            continue
        if (column.nullable and not trait.required) or column.default is not None:
            continue
        if not isinstance(column.type, String) or isinstance(column.type, Enum) or trait.dictionary:
            return None
        found[column.key] = "New"
    return found


def plain_entities() -> dict[type[Entity], dict[str, str]]:
    """Entity -> what a record of it needs, for those that need texts only."""
    return {model: values for model in ENTITIES if not model.singleton and (values := needed(model))}
