"""Addresses of a screen: a decorator on each method that serves one, and how the panel finds them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

BASE = "/admin"
"""The address of the panel."""
Right = tuple[str, str]
"""(module, action), or ("open", the reason why a route asks for no right)."""
Serve = Callable[[Any, Request], Awaitable[Response]]
S = TypeVar("S", bound=Serve)


@dataclass(frozen=True)
class PageRoute:
    """One address of a screen, with its methods.

    `right` is an action of the module of the screen, or a whole Right if the screen has no module.
    """

    path: str
    methods: tuple[str, ...]
    right: str | Right
    serve: Serve


def page_route(path: str, right: str | Right, *methods: str) -> Callable[[S], S]:
    """Serve a method `async (self, request) -> Response` at `path`, on GET unless `methods` are given.

    A screen over records serves `path` below its own address, a Page below that of the panel.
    """

    def declare(serve: S) -> S:
        serve.page_route = PageRoute(path, methods or ("GET",), right, serve)  # type: ignore[attr-defined]  # how `routes_of` finds it
        return serve

    return declare


def routes_of(screen: type) -> list[PageRoute]:
    """Every route of a screen, those of its bases first.  A method that overrides another keeps its route."""
    found: dict[str, PageRoute] = {}
    for base in reversed(screen.__mro__):
        for name, member in vars(base).items():
            if isinstance(declared := getattr(member, "page_route", None), PageRoute):
                found[name] = declared
    return [replace(route, serve=getattr(screen, name)) for name, route in found.items()]
