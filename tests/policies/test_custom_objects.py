"""Custom fields in policy lines: known by the book, closed when unknown, in the table, and judged by Casbin alike."""

import pytest

from models import Customer
from models.custom_field import Book, Custom, CustomKind
from policies import InvalidPolicy, Snapshot, matrix, parse, validate
from policies.objects import FIELDS
from policies.principal import Principal
from policies.proof import prove
from policies.words import Facts
from tests.support.world import START

SIZE = "customer.custom.size"
BOOK = Book.made([Custom(1, "customer", "size", CustomKind.TEXT, "Size")], "one")
TEXT = f"p, sales, customer, view, own, any, allow\np, sales, customer, edit, own, any, allow\np, sales, {SIZE}, edit, all, any, deny\n"
LI = Principal(id=3, login="li", name="Li", now=START, roles=frozenset({"sales"}))
OWN = Facts(owner_id=3)


def test_a_custom_field_follows_its_module_but_for_lines_about_itself() -> None:
    policy = Snapshot(TEXT, 1, book=BOOK)

    assert policy.may(LI, "view", "customer", OWN, "custom.size")
    assert not policy.may(LI, "edit", "customer", OWN, "custom.size")
    assert not policy.may(LI, "view", "customer", Facts(owner_id=4), "custom.size")


def test_a_field_that_is_not_in_the_book_is_closed_to_everybody() -> None:
    policy = Snapshot(TEXT + "p, *, customer.custom.other, view, all, any, allow\n", 1, book=BOOK)

    assert not policy.may(LI, "view", "customer", OWN, "custom.other")
    assert not policy.ever(LI, "view", "customer.custom.other")
    guard = policy.guard(LI, Customer, "custom.other", Customer)
    assert guard is not None
    assert str(guard) == "false"


@pytest.mark.parametrize(
    "word", ["customer.custom.", "customer.custom.Size", "customer.custom.a.b", "pool.custom.size"]
)
def test_what_cannot_be_a_custom_field_is_no_object(word: str) -> None:
    assert word not in FIELDS
    with pytest.raises(InvalidPolicy, match="unknown object"):
        validate(parse(f"p, sales, {word}, view, all, any, deny"))


def test_a_draft_names_fields_that_there_are_and_what_is_in_force_stays_valid() -> None:
    lines = parse(TEXT)

    assert validate(lines, customs={SIZE}) == lines
    with pytest.raises(InvalidPolicy, match=r"line 3: unknown custom field “customer\.custom\.size”"):
        validate(lines, customs=())
    assert Snapshot(TEXT).lines == lines


def test_the_table_has_a_row_for_each_field_and_a_click_changes_it() -> None:
    policy = Snapshot(TEXT, book=BOOK)
    found = {x.field: x for x in matrix.fields(policy, policy, "sales", "customer")}

    assert found[SIZE].state == "view"
    hidden = Snapshot(matrix.with_field(TEXT, "sales", SIZE, "hidden"), book=BOOK)
    assert not hidden.may(LI, "view", "customer", OWN, "custom.size")
    assert SIZE not in {x.field for x in matrix.fields(Snapshot(TEXT), policy, "sales", "customer")}


def test_casbin_judges_custom_fields_as_the_cells_do() -> None:
    proof = prove(Snapshot(TEXT), [frozenset({"sales"})])

    assert proof.lines_tried == proof.lines == 3
    policy = Snapshot(TEXT, book=BOOK)
    judge = policy.enforcer([("li", "sales")])
    for action in ("view", "edit", "delete"):
        for facts in (OWN, Facts(owner_id=4)):
            ours = policy.may(LI, action, "customer", facts, "custom.size")
            assert judge.enforce("li", SIZE, action, (LI, facts)) is ours, (action, facts)
