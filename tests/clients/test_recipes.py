"""The recipes of `docs/api/clients.md` are the code that the tests of clients run."""

import re

from tests.support.node import CLIENTS
from tests.support.terminal import ROOT

RECIPES = CLIENTS / "recipes"
NOT_SHOWN = {"codegen/tsconfig.json"}


def test_the_page_shows_every_recipe_as_it_is_run() -> None:
    page = (ROOT / "docs/api/clients.md").read_text(encoding="utf-8")
    shown = dict(
        re.findall(r"^<!-- tests/clients/recipes/(\S+) -->\n```\w+\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    )
    run = {
        path.relative_to(RECIPES).as_posix(): path.read_text(encoding="utf-8")
        for path in RECIPES.rglob("*.*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert shown == {name: text for name, text in run.items() if name not in NOT_SHOWN}
