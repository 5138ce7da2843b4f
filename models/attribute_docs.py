"""Docstrings of attributes: what stands below an attribute of a class says what it means.

Python drops these texts, so they are read from the source.  Their first paragraph is written for users of the API:
`schema/describing/` makes it the description of the field, of its inputs, its filter and its order.
"""

import ast
from collections.abc import Iterator
from functools import cache
from inspect import cleandoc
from pathlib import Path
from sys import modules
from typing import cast


def docs_of(kind: type) -> dict[str, str]:
    """Name of an attribute -> the first paragraph of its docstring, on one line; bases included, the class itself first.

    A method of the class that has a docstring counts as an attribute, because a declared column is one.
    """
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        found |= _docs_in(each.__module__).get(each.__qualname__, {})
    return found


def paragraph_of(text: str | None) -> str:
    """The first paragraph of a docstring, on one line; empty without one."""
    return " ".join(cleandoc(text or "").partition("\n\n")[0].split())


@cache
def _docs_in(module: str) -> dict[str, dict[str, str]]:
    """Qualified name of a class -> the docs of its attributes, for the classes of one of our modules."""
    file = getattr(modules.get(module), "__file__", None)
    if file is None or module.partition(".")[0] not in ("models", "policies", "resolvers", "schema", "tests"):
        return {}
    return dict(_classes(ast.parse(Path(file).read_text(encoding="utf-8")).body, ""))


def _classes(body: list[ast.stmt], above: str) -> Iterator[tuple[str, dict[str, str]]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield f"{above}{node.name}", dict(_attributes(node.body))
            yield from _classes(node.body, f"{above}{node.name}.")


def _attributes(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for node, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.FunctionDef) and (text := ast.get_docstring(node)):
            yield node.name, paragraph_of(text)
        for name in _names(node):
            if text := _text(below):
                yield name, paragraph_of(text)


def _names(node: ast.stmt) -> list[str]:
    """The names that a statement gives a value or a type."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _text(node: ast.stmt | None) -> str | None:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return cast("ast.Constant", cast("ast.Expr", node).value).value if is_text else None  # type: ignore[return-value]  # `is_text` says so
