"""Conditions on the elements of a JSON list, the same on both databases."""

from typing import Any

from sqlalchemy import Boolean, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from ..runtime.viewer import Clause, Value


class Element(FunctionElement[str]):
    """One element of the list about which `HasElement` asks.  The list is its argument, so that its type is known."""

    type, inherit_cache = Text(), True

    def __init__(self, words: Value) -> None:
        super().__init__(words)


@compiles(Element)
def _element(_element: Element, _compiler: Any, **_how: Any) -> str:
    return "one_.value"


class HasElement(FunctionElement[bool]):
    """Whether a list has an element for which a condition on `Element` holds.  Never NULL; false for an empty list."""

    type, inherit_cache = Boolean(), True

    def __init__(self, words: Value, fits: Clause) -> None:
        super().__init__(words, fits)

    def self_group(self, against: Any = None) -> "HasElement":
        """Itself: it is a truth value as it stands."""
        return self


@compiles(HasElement, "sqlite")
def _on_sqlite(element: HasElement, compiler: Any, **how: Any) -> str:
    words, fits = (compiler.process(part, **how) for part in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_each({words}) AS one_ WHERE {fits})"  # noqa: S608  compiled SQL


@compiles(HasElement, "postgresql")
def _on_postgresql(element: HasElement, compiler: Any, **how: Any) -> str:
    words, fits = (compiler.process(part, **how) for part in element.clauses)
    return f"EXISTS (SELECT 1 FROM jsonb_array_elements_text({words}) AS one_(value) WHERE {fits})"  # noqa: S608  compiled SQL
