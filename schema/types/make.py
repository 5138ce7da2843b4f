"""Making types and fields for Strawberry where their names and annotations are known at run time only."""

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from typing import Any, ForwardRef

import strawberry

from models import Base
from resolvers.runtime.ids import snake

from ..closed_lists import MEANINGS
from ..plan.shape import name_of
from . import namespace

Annotations = dict[str, Any]
"""Name -> a type or the name of one."""


def enum_of(kind: Any) -> Any:
    """The Strawberry enum for an enum of the models, made once."""
    if not hasattr(kind, "__strawberry_definition__"):
        strawberry.enum(kind, description=(kind.__doc__ or "").strip())
        for value in kind.__strawberry_definition__.values if kind in MEANINGS else ():
            value.description = MEANINGS[kind][value.value]
    return kind


def new_type(
    name: str,
    annotations: Mapping[str, Any],
    doc: str,
    how: Callable[..., Any],
    members: Mapping[str, Any] | None = None,
    *,
    bases: tuple[type, ...] = (),
) -> Any:
    """A Strawberry type with these annotations, added to `namespace` under its name."""
    made = type(
        name, bases, {"__annotations__": dict(annotations), "__module__": namespace.__name__, **(members or {})}
    )
    setattr(namespace, name, how(made, name=name, description=doc.strip()))
    return getattr(namespace, name)


def function(name: str, annotations: Mapping[str, Any], body: Callable[..., Any]) -> Callable[..., Any]:
    """`body` with a name and annotations for Strawberry: its arguments and `return`, types as objects or names."""
    body.__name__ = body.__qualname__ = name
    body.__module__, body.__annotations__ = namespace.__name__, dict(annotations)
    return body


def named(name: str) -> Any:
    """A derived type by its name, for annotations that are read before it exists."""
    return strawberry.lazy(namespace.__name__).resolve_forward_ref(ForwardRef(name))


def record_of(model: type[Base]) -> Any:
    """The GraphQL type of a field that holds a Pointer: null where the caller may not see the record."""
    return named(name_of(model)) | None


def stub(name: str, annotations: Annotations, doc: str, **defaults: Any) -> Callable[..., Any]:
    """The signature of a field that the compiler answers; it is never called."""

    def signature(**_: Any) -> Any:
        raise RuntimeError("answered by the compiler")

    parameters = [_parameter(x, kind, defaults) for x, kind in annotations.items() if x != "return"]
    signature.__signature__ = Signature(parameters, return_annotation=annotations["return"])  # type: ignore[attr-defined]  # what inspect, and so Strawberry, reads
    signature.__doc__ = doc
    return function(python_name(name), annotations, signature)


def _parameter(name: str, kind: Any, defaults: Annotations) -> Parameter:
    default = defaults.get(name, strawberry.UNSET if "Optional" in str(kind) else Parameter.empty)
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def python_name(name: str) -> str:
    """`ownerId` -> `owner_id`: the column key and the Python name that Strawberry turns into a GraphQL name."""
    return snake(name)
