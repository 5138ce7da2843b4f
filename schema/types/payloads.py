"""The payloads of mutations that change records: the problems, and the records as the compiler reads them."""

from typing import Any

import strawberry

from models import ENTITIES, Base, Entity

from ..plan.shape import name_of, plural, singular
from ..problems import Problem
from . import make

PAYLOADS: dict[str, type[Base]] = {}
"""GraphQL name of a payload type -> the model of its records."""


def payload_of(model: type[Entity]) -> Any:
    """The payload of a mutation that changes one record."""
    return make.named(_one(model))


def batch_payload_of(model: type[Entity]) -> Any:
    """The payload of a mutation that changes several records."""
    return make.named(_many(model))


def derive_payloads() -> None:
    """Make the payload types of every entity."""
    for model in ENTITIES:
        name = name_of(model)
        one = {singular(model): f"Optional[{name}]", "problems": list[Problem]}
        doc = "The record, null when it is out of sight, and what was refused."
        make.new_type(_one(model), _python_names(one), doc, strawberry.type)
        many = {"ids": list[strawberry.ID], plural(model): f"List[{name}]", "problems": list[Problem]}
        doc = "`ids`: every record done.  The list: those among them that you may still see."
        make.new_type(_many(model), _python_names(many), doc, strawberry.type)
        PAYLOADS[_one(model)] = PAYLOADS[_many(model)] = model


def _python_names(annotations: dict[str, Any]) -> dict[str, Any]:
    return {make.python_name(name): annotation for name, annotation in annotations.items()}


def _one(model: type[Entity]) -> str:
    return f"{name_of(model)}Payload"


def _many(model: type[Entity]) -> str:
    return f"{plural(model)[0].upper()}{plural(model)[1:]}Payload"
