"""Change one statement or expression of a function, found by its syntax and not by its text.

Formatting, comments, the code around it and its place in the file do not matter.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Place = tuple[ast.AST, str, int | None]
"""A node, its field, and the index where the field is a list."""


def file_of(where: str, root: Path) -> Path:
    """The file of `package.module:function`."""
    module = root.joinpath(*where.partition(":")[0].split("."))
    return module / "__init__.py" if module.is_dir() else module.with_suffix(".py")


def plant(source: str, where: str, right: str, wrong: str) -> str:
    """The source of a module with `wrong` in the place of `right`; LookupError unless there is one such place.

    `where` is `package.module:function`, `package.module:Class.method` or the name of a module's table.  `right` and
    `wrong` are two expressions, two arguments or two statements; without `wrong`, `right` is left out.
    """
    tree = ast.parse(source)
    wanted, instead = _parsed(right, wrong)
    scopes = _definitions(tree, where.partition(":")[2].split("."))
    if len(scopes) != 1:
        raise LookupError(f"{where} is defined {len(scopes)} times")
    found = [place for place in _places(scopes[0]) if ast.dump(_at(place)) == ast.dump(wanted)]
    if len(found) != 1:
        raise LookupError(f"“{right}” stands {len(found)} times in {where}")
    _put(found[0], instead)
    return ast.unparse(tree) + "\n"


def _parsed(right: str, wrong: str) -> tuple[ast.AST, ast.AST | None]:
    try:
        return _argument(right), _argument(wrong) if wrong else None
    except SyntaxError:
        return _statement(right), _statement(wrong) if wrong else None


def _argument(text: str) -> ast.AST:
    """An expression, or anything else that a call takes: `*these`, `key=value`."""
    call: Any = ast.parse(f"_(\n{text}\n)", mode="eval").body
    parts = [*call.args, *call.keywords]
    if len(parts) != 1:
        raise SyntaxError(f"not one expression: {text}")
    return parts[0]  # type: ignore[no-any-return]  # a node


def _statement(text: str) -> ast.AST:
    (statement,) = ast.parse(text).body
    return statement


def _definitions(tree: ast.AST, names: list[str]) -> list[ast.AST]:
    """The functions, classes or assignments of this qualified name."""
    found = [tree]
    for name in names:
        found = [node for outer in found for node in _defined(outer) if name in _names(node)]
    return found


def _defined(outer: ast.AST) -> Iterator[ast.AST]:
    """What a body defines, inside `if`, `try` and `with`, too."""
    for node in ast.iter_child_nodes(outer):
        if _names(node):
            yield node
        elif isinstance(node, ast.stmt):
            yield from _defined(node)


def _names(node: ast.AST) -> set[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


def _places(scope: ast.AST) -> Iterator[Place]:
    for node in ast.walk(scope):
        for field, value in ast.iter_fields(node):
            if isinstance(value, list):
                yield from ((node, field, index) for index, each in enumerate(value) if isinstance(each, ast.AST))
            elif isinstance(value, ast.AST):
                yield node, field, None


def _at(place: Place) -> ast.AST:
    node, field, index = place
    value: Any = getattr(node, field)
    found: ast.AST = value if index is None else value[index]
    return found


def _put(place: Place, instead: ast.AST | None) -> None:
    node, field, index = place
    if index is not None:
        getattr(node, field)[index : index + 1] = [] if instead is None else [instead]
    elif instead is not None:
        setattr(node, field, instead)
    else:
        raise LookupError(f"the {field} of a {type(node).__name__} cannot be left out")
