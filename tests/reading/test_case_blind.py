"""Text is compared without case, with one result on both databases for all of Unicode, and cleaned like stored text."""

import random
import sys
from collections.abc import Callable
from typing import Any
from unicodedata import combining, normalize

import pytest
from sqlalchemy import select

from models import Customer, DictionaryItem, User
from models.base import Base
from models.errors import Validation
from models.text import MARKS, composed, fold
from resolvers.reading import pages
from resolvers.reading.comparison import LONGEST_PART, compared
from resolvers.reading.pages import ListRequest
from tests.support.graphql import Api
from tests.support.panel import Panel
from tests.support.world import AS_STORED, World

WORDS = ("Завод", "Östberg", "Ärzte", "Straße", "ΟΔΟΣ", "İstanbul", "ŁÓDŹ", "Ａcme", "鑫达 Co")
PARTS = {"contains": (0, 0), "starts_with": (0, 1), "ends_with": (1, 0)}


def same(one: str, other: str) -> bool:
    """The independent model: characters are equal by Unicode's case folding; ASCII letters equal ASCII letters only."""
    return one.casefold() == other.casefold() and one.isascii() == other.isascii()


def is_in(text: str, name: str, operator: str) -> bool:
    starts = range(len(name) - len(text) + 1)
    wanted = {"contains": starts, "starts_with": starts[:1], "ends_with": starts[-1:]}[operator]
    return any(all(map(same, text, name[n:])) for n in wanted)


def other_case(text: str) -> str:
    return "".join(
        next((x for x in (c.swapcase(), c.upper(), c.lower()) if len(x) == 1 and same(x, c)), c) for c in text
    )


def found(world: World, model: type[Base], **request: Any) -> list[str]:
    page = world.run(world.ada.read(pages.page, ListRequest(model, ("name",), size=50, **request)))
    return [row["name"] for row in page.rows]


@pytest.mark.parametrize("word", WORDS)
def test_a_list_without_index_finds_a_name_in_every_case(world: World, api: Api, word: str) -> None:
    world.user("new", f"Ivan {word}", "sales")
    for typed in (word, word.lower(), word.upper(), f"\u202a{word[:2]}\u200b{word[2:]}\ufeff"):
        if len(typed) != len(word) and "\u202a" not in typed:
            continue  # another number of letters is another text
        assert found(world, User, search=typed) == [f"Ivan {word}"], typed
        assert api.ask("ada", "query ($t: String) { users(search: $t) { nodes { name } } }", t=typed)["users"]["nodes"]
        for operator in ("contains", "endsWith"):
            query = f"query ($t: String) {{ users(filter: {{name: {{{operator}: $t}}}}) {{ totalCount }} }}"
            assert api.ask("ada", query, t=typed)["users"]["totalCount"] == 1, (operator, typed)


def test_the_panel_finds_it_too(world: World) -> None:
    world.user("new", "Олег Завод", "sales")
    page = Panel(world).of("ada").get("/admin/user/list?search=%D0%97%D0%90%D0%92%D0%9E%D0%94")
    assert "Олег Завод" in page.text


def test_marks_that_nobody_sees_are_no_part_of_a_search(world: World, api: Api) -> None:
    world.customer("鑫达科技", phone="13800138000")
    for mark in ("\u202a", "\u202e", "\ufeff", "\u200b", "\u2066", "\u00ad"):
        assert found(world, Customer, search=f"{mark}鑫{mark}达{mark}") == ["鑫达科技"], mark
        assert found(world, Customer, search=f"138{mark}0013") == ["鑫达科技"], mark
        for operator in ("eq", "contains", "startsWith", "endsWith"):
            query = f"query ($t: String) {{ customers(filter: {{name: {{{operator}: $t}}}}) {{ totalCount }} }}"
            assert api.ask("ada", query, t=f"{mark}鑫达{mark}科技")["customers"]["totalCount"] == 1, (operator, mark)
        listed = "query ($t: [String!]) { customers(filter: {name: {in: $t}}) { totalCount } }"
        assert api.ask("ada", listed, t=[f"鑫达科技{mark}"])["customers"]["totalCount"] == 1, mark


def test_a_letter_and_its_accent_are_one_in_a_search(world: World, api: Api) -> None:
    world.user("new", "Ma\u0308rz", "sales")
    assert found(world, User, search="MA\u0308R") == found(world, User, search="m\u00e4r") == ["M\u00e4rz"]


def test_every_letter_of_unicode_is_found_by_its_other_case(world: World) -> None:
    """Names of 150 letters with two cases; each is found by the letters of the other case, and finds itself alone."""
    stored = (c for c in map(chr, range(sys.maxunicode)) if normalize("NFC", c) == c and not combining(c))
    cased = [c for c in stored if c.swapcase() != c]
    names = ["".join(cased[n : n + 150]) for n in range(0, len(cased), 150)]
    assert len(cased) > 2_700
    with Names(world, names) as all_names:
        for name in names:
            assert all_names.found("contains", other_case(name)) == [x for x in names if is_in(name, x, "contains")]


TRICKY = "aAſßẞıİiσςΣéÉ*?[]^%_\\-$.(){}|+#/'\" 鑫Ａａǆǅ𐐀𐐨"


def test_case_blind_comparison_equals_the_model_on_both_databases(world: World) -> None:
    rng = random.Random(6)
    names = ["".join(rng.choices(TRICKY, k=rng.randrange(1, 9))) for _ in range(120)]
    with Names(world, names) as all_names:
        for n in range(90):
            operator = [*PARTS][n % 3]
            name = rng.choice(names)
            text = other_case(name[rng.randrange(len(name)) :][: rng.randrange(1, 4)])
            expected = [x for x in names if is_in(text, x, operator)]
            assert all_names.found(operator, text) == expected, (operator, text)


def test_a_text_too_long_for_the_databases_is_refused(world: World, api: Api) -> None:
    query = "query ($t: String) { customers(filter: {name: {contains: $t}}) { totalCount } }"
    for text in ("x" * LONGEST_PART, "ß" * LONGEST_PART, "\U00010400" * LONGEST_PART):
        assert api.ask("ada", query, t=text)["customers"]["totalCount"] == 0
    assert api.code("ada", query, t="x" * (LONGEST_PART + 1)) == "VALIDATION"
    with pytest.raises(Validation):
        found(world, Customer, filter={"name": {"contains": "x" * (LONGEST_PART + 1)}})


class Names:
    """Texts in a column, which are there until the end of the block."""

    def __init__(self, world: World, names: list[str]) -> None:
        self.connection, self.names = world.backend.writer.engine.connect(), names
        item = world.rows(DictionaryItem)[0]
        rows = [{**item, "id": 1000 + n, "key": f"k{n}", "label_en": name} for n, name in enumerate(names)]
        self.connection.execute(DictionaryItem.__table__.insert(), rows)

    def __enter__(self) -> "Names":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.rollback()
        self.connection.close()

    def found(self, operator: str, text: str) -> list[str]:
        column = DictionaryItem.__table__.c.label_en
        wanted = select(column).where(compared(column, operator, text), DictionaryItem.id >= 1000)
        return list(self.connection.execute(wanted.order_by(DictionaryItem.id), execution_options=AS_STORED).scalars())


@pytest.mark.parametrize("between", ["", "\u200b", "\ufeff", "\u202a"])
@pytest.mark.parametrize("form", [composed, fold])
def test_text_of_marks_is_bounded_before_it_is_sorted(form: Callable[[str], str], between: str) -> None:
    text = "a" + ("\u0301\u0323" * 15 + between) * 200

    assert not MARKS.search(form(text))
    assert form("e" + "\u0323" * 3) == "ẹ" + "\u0323" * 2
