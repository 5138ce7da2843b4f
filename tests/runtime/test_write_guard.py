"""The write wall: a use case that forgets to ask still changes nothing that its person may not change."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Base, Contact, ContactPoint, Customer, Opportunity, OwnershipPeriod, Share, User
from models.contact import PointKind
from models.database.engines import WriteSession
from models.errors import Forbidden, NotFound, NotSignedIn, Refusal
from models.pool import GranteeKind
from models.share import ShareLevel
from policies import Snapshot
from resolvers.records import create_update
from resolvers.runtime import read_guard
from resolvers.runtime.scope import Scope
from tests.support.world import AS_STORED, World

Work = Callable[[Scope, Session], None]


@pytest.fixture
def stock(world: World) -> dict[str, int]:
    """Li's Mine, Wu's Theirs, Mei's Hers, and Pooled in Li's pool; each but Pooled has a contact with a phone."""
    ids = {name: world.customer(name, login) for name, login in (("Mine", "li"), ("Theirs", "wu"), ("Hers", "mei"))}
    for name, id in ids.copy().items():
        point = {"kind": "PHONE", "value": f"200{len(ids)}"}
        ids[f"Ann of {name}"] = world.make(Contact, customer_id=id, name=f"Ann of {name}", points=[point])
    return ids | {"Pooled": world.customer("Pooled", pool="north")}


def forgetful(world: World, login: str, action: str, work: Work) -> None:
    """Run a use case that asks nobody for leave."""

    def use_case(scope: Scope) -> None:
        with scope.write(action) as db:
            work(scope, db)

    world.scope(login).do(use_case)


def refused(world: World, login: str, action: str, work: Work, refusal: type[Refusal] = Forbidden) -> Refusal:
    """The refusal that such a use case ends with, having changed nothing."""
    before = world.everything()
    with pytest.raises(refusal) as caught:
        forgetful(world, login, action, work)
    assert world.everything() == before
    return caught.value


def below(db: Session, model: type[Any], id: int) -> Any:
    """A row fetched past the policy, as a careless use case might."""
    return db.execute(select(model).where(model.id == id), execution_options=AS_STORED).scalar_one()


def point(contact_id: int | None, value: str = "2999", **more: Any) -> ContactPoint:
    return ContactPoint(contact_id=contact_id, kind=PointKind.PHONE, value=value, value_key=value, position=9, **more)


def setting(model: type[Any], id: int, **values: Any) -> Work:
    def work(_scope: Scope, db: Session) -> None:
        row = below(db, model, id)
        for key, value in values.items():
            setattr(row, key, value)

    return work


def adding(row: Callable[[], Base]) -> Work:
    return lambda _scope, db: db.add(row())


# --- changes ---------------------------------------------------------------------------------------------


def test_a_row_changes_only_for_whom_the_named_action_is_allowed(world: World, stock: dict[str, int]) -> None:
    for name in ("Hers", "Theirs", "Pooled"):
        refusal = refused(world, "li", "customer.edit", setting(Customer, stock[name], name="X"))
        assert refusal.params == {"action": "customer.edit"}
    refused(world, "li", "customer.purge", setting(Customer, stock["Mine"], name="X"))

    forgetful(world, "li", "customer.edit", setting(Customer, stock["Mine"], name="Mine too"))

    row = world.row(Customer, stock["Mine"])
    assert (row["name"], row["version"], row["updated_by_id"]) == ("Mine too", 2, world.ids["li"])


def test_a_locked_record_is_changed_by_its_owner_only(world: World, stock: dict[str, int]) -> None:
    forgetful(world, "li", "customer.lock", setting(Customer, stock["Mine"], locked_by_id=world.ids["li"]))

    refused(world, "ada", "customer.edit", setting(Customer, stock["Mine"], name="X"))
    refused(world, "lead", "customer.transfer", setting(Customer, stock["Mine"], name="X"))
    refused(world, "ada", "customer.lock", setting(Customer, stock["Mine"], lock_expires_at=world.clock.now))
    refused(world, "ada", "contact.edit", setting(Contact, stock["Ann of Mine"], name="X"))
    forgetful(world, "li", "customer.edit", setting(Customer, stock["Mine"], name="Mine still"))

    assert world.row(Customer, stock["Mine"])["name"] == "Mine still"


def test_one_forbidden_row_undoes_what_was_done_beside_it(world: World, stock: dict[str, int]) -> None:
    def both(_scope: Scope, db: Session) -> None:
        below(db, Customer, stock["Mine"]).name = "X"
        db.flush()
        below(db, Customer, stock["Hers"]).name = "X"

    refused(world, "li", "customer.edit", both)


def test_a_right_given_for_one_action_is_none_for_another(world: World, stock: dict[str, int]) -> None:
    def claim_and_edit(scope: Scope, db: Session) -> None:
        customer = scope.load(db, Customer, stock["Pooled"], to="claim")
        with scope.write("customer.edit"):
            customer.name = "X"

    refused(world, "li", "customer.claim", claim_and_edit)


def test_what_follows_from_a_granted_change_needs_no_right_of_its_own(world: World, stock: dict[str, int]) -> None:
    ann = stock["Ann of Mine"]
    world.system.do(create_update.update, Contact, ann, {"is_primary": True})
    with world.backend.writer.engine.begin() as connection:
        connection.execute(Contact.__table__.update().where(Contact.id == ann).values(owner_id=world.ids["wu"]))

    ben = world.li.do(create_update.create, Contact, {"customer_id": stock["Mine"], "name": "Ben"}).id
    world.li.do(create_update.update, Contact, ben, {"is_primary": True})

    assert [world.row(Contact, id)["is_primary"] for id in (ann, ben)] == [False, True]
    refused(world, "li", "contact.edit", setting(Contact, ann, name="X"))


def test_an_edit_that_moves_a_record_out_of_ones_own_reach_is_refused(world: World) -> None:
    lines = "p, *, user, view, all, any, allow\np, *, department, view, all, any, allow"
    world.backend.policy = Snapshot(f"{lines}\np, sales_lead, user, edit, team, any, allow", 1)

    refused(world, "lead", "user.edit", setting(User, world.ids["li"], department_id=world.ids["west"]))
    forgetful(world, "lead", "user.edit", setting(User, world.ids["li"], name="Li N."))

    row = world.row(User, world.ids["li"])
    assert (row["name"], row["department_id"]) == ("Li N.", world.ids["east"])


# --- references ------------------------------------------------------------------------------------------


def test_a_hidden_and_a_missing_reference_are_refused_alike(world: World, stock: dict[str, int]) -> None:
    deal = world.make(Opportunity, customer_id=stock["Mine"], name="Deal")
    for id in (stock["Ann of Hers"], 999_999):
        refusal = refused(world, "li", "opportunity.edit", setting(Opportunity, deal, contact_id=id), NotFound)
        assert (refusal.params, refusal.field) == ({"what": "contact", "what_zh": "联系人"}, "contactId")

    forgetful(world, "li", "opportunity.edit", setting(Opportunity, deal, contact_id=stock["Ann of Mine"]))

    assert world.row(Opportunity, deal)["contact_id"] == stock["Ann of Mine"]


def test_a_hidden_record_put_into_a_relation_is_refused_too(world: World, stock: dict[str, int]) -> None:
    deal = world.make(Opportunity, customer_id=stock["Mine"], name="Deal")

    def relate(_scope: Scope, db: Session) -> None:
        below(db, Opportunity, deal).contact = below(db, Contact, stock["Ann of Hers"])

    refusal = refused(world, "li", "opportunity.edit", relate, NotFound)
    assert (refusal.params, refusal.field) == ({"what": "contact", "what_zh": "联系人"}, "contactId")


def test_a_reference_to_a_record_in_the_bin_is_refused(world: World, stock: dict[str, int]) -> None:
    deal = world.make(Opportunity, customer_id=stock["Mine"], name="Deal")
    world.ada.do(create_update.delete, Contact, [stock["Ann of Mine"]])

    refused(world, "ada", "opportunity.edit", setting(Opportunity, deal, contact_id=stock["Ann of Mine"]), NotFound)


def test_a_record_moves_neither_under_a_hidden_one_nor_under_one_where_it_is_out_of_reach(
    world: World, stock: dict[str, int]
) -> None:
    ann = stock["Ann of Mine"]

    refusal = refused(world, "li", "contact.edit", setting(Contact, ann, customer_id=stock["Hers"]), NotFound)
    assert (refusal.params, refusal.field) == ({"what": "customer", "what_zh": "客户"}, "customerId")
    refused(world, "li", "contact.edit", setting(Contact, ann, customer_id=stock["Pooled"]))


# --- new records -----------------------------------------------------------------------------------------


def test_a_record_made_outside_ones_own_reach_is_refused(world: World, stock: dict[str, int]) -> None:
    def customer(owner: str | None, pool: str | None = None) -> Callable[[], Base]:
        place = {"owner_id": world.ids.get(owner or ""), "pool_id": world.ids.get(pool or "")}
        return lambda: Customer(name="New", number="N1", **place)

    for action in ("customer.create", "customer.edit", "customer.claim", "contact.create"):
        assert refused(world, "li", action, adding(customer("wu"))).params == {"action": "customer.create"}
        refused(world, "li", action, adding(customer(None, "north")))
    refused(world, "li", "customer.create", adding(customer(None, "south")), NotFound)
    refused(world, "fin", "customer.create", adding(customer("fin")))
    refused(world, "li", "contact.create", adding(lambda: Contact(name="New", customer_id=stock["Hers"])), NotFound)
    refused(world, "li", "contact.create", adding(lambda: Contact(name="New", customer_id=stock["Pooled"])))

    forgetful(world, "li", "customer.create", adding(customer("li")))

    (made,) = world.rows(Customer, Customer.name == "New")
    assert (made["owner_id"], made["created_by_id"], made["created_at"]) == (
        world.ids["li"],
        world.ids["li"],
        world.clock.now,
    )


def test_a_record_that_comes_with_another_is_made_with_that_one_s_right(world: World) -> None:
    world.backend.policy = Snapshot(
        f"{world.backend.policy.text}\np, sales, contact, create, own, any, deny", world.backend.policy.revision
    )

    made = world.li.do(
        create_update.create, Customer, {"name": "New", "contact_name": "Ann", "contact_phone": "13800138000"}
    )

    (contact,) = world.rows(Contact, Contact.customer_id == made.id)
    assert [row["value"] for row in world.rows(ContactPoint, ContactPoint.contact_id == contact["id"])] == [
        "13800138000"
    ]
    refused(world, "li", "contact.create", adding(lambda: Contact(name="New", customer_id=made.id)))


# --- deletes ---------------------------------------------------------------------------------------------


def removing(model: type[Any], id: int) -> Work:
    return lambda _scope, db: db.delete(below(db, model, id))


def test_a_row_disappears_for_good_only_by_the_right_to_purge(world: World, stock: dict[str, int]) -> None:
    deal = world.make(Opportunity, customer_id=stock["Mine"], name="Deal")

    for action in ("opportunity.edit", "opportunity.delete", "opportunity.purge"):
        assert refused(world, "li", action, removing(Opportunity, deal)).params == {"action": "opportunity.purge"}
    forgetful(world, "ada", "opportunity.purge", removing(Opportunity, deal))

    assert world.rows(Opportunity) == []


def test_the_way_to_the_bin_is_judged_like_every_change(world: World, stock: dict[str, int]) -> None:
    gone = {"deleted_at": world.clock.now}

    refused(world, "li", "customer.delete", setting(Customer, stock["Hers"], **gone))
    refused(world, "fin", "customer.delete", setting(Customer, stock["Mine"], **gone))
    refused(world, "li", "contact.delete", setting(Contact, stock["Ann of Hers"], **gone))


# --- parts -----------------------------------------------------------------------------------------------


def test_parts_are_judged_as_their_whole(world: World, stock: dict[str, int]) -> None:
    (hers,) = world.rows(ContactPoint, ContactPoint.contact_id == stock["Ann of Hers"])
    (mine,) = world.rows(ContactPoint, ContactPoint.contact_id == stock["Ann of Mine"])

    refused(world, "li", "contact.edit", adding(lambda: point(stock["Ann of Hers"])))
    refused(world, "li", "contact.edit", setting(ContactPoint, hers["id"], value="X"))
    refused(world, "li", "contact.edit", removing(ContactPoint, hers["id"]))
    refused(world, "sam", "contact.view", setting(Customer, stock["Mine"], name="X"))
    forgetful(world, "li", "contact.edit", adding(lambda: point(stock["Ann of Mine"])))
    forgetful(world, "li", "contact.edit", removing(ContactPoint, mine["id"]))

    assert [row["value"] for row in world.rows(ContactPoint, ContactPoint.contact_id == stock["Ann of Mine"])] == [
        "2999"
    ]


def test_a_part_given_by_relation_is_judged_as_well(world: World, stock: dict[str, int]) -> None:
    def relate(_scope: Scope, db: Session) -> None:
        db.add(point(None, contact=below(db, Contact, stock["Ann of Hers"])))

    refused(world, "li", "contact.edit", relate)


def test_a_part_moves_neither_out_of_a_hidden_record_nor_into_one(world: World, stock: dict[str, int]) -> None:
    (hers,) = world.rows(ContactPoint, ContactPoint.contact_id == stock["Ann of Hers"])
    (mine,) = world.rows(ContactPoint, ContactPoint.contact_id == stock["Ann of Mine"])

    refused(world, "li", "contact.edit", setting(ContactPoint, hers["id"], contact_id=stock["Ann of Mine"]))
    refused(world, "li", "contact.edit", setting(ContactPoint, mine["id"], contact_id=stock["Ann of Hers"]))


# --- outside ---------------------------------------------------------------------------------------------


def test_a_change_outside_scope_write_is_a_bug_that_nobody_can_overlook(world: World, stock: dict[str, int]) -> None:
    before = world.everything()
    token = read_guard.current.set((world.principal("ada"), world.backend.policy))
    with WriteSession(world.backend.writer.engine) as db:
        read_guard.current.reset(token)
        db.get(Customer, stock["Mine"]).name = "X"

        with pytest.raises(RuntimeError, match=r"records may only change inside scope.write\(action\)"):
            db.flush()
    assert world.everything() == before


def test_nobody_writes_without_having_signed_in(world: World, stock: dict[str, int]) -> None:
    def use_case(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            below(db, Customer, stock["Mine"]).name = "X"

    with pytest.raises(NotSignedIn):
        world.backend.scope(None, "test").do(use_case)
    assert world.row(Customer, stock["Mine"])["name"] == "Mine"


def test_what_is_no_record_of_anybody_is_not_judged(world: World, stock: dict[str, int]) -> None:
    def share(scope: Scope, db: Session) -> None:
        period = db.execute(select(OwnershipPeriod).where(OwnershipPeriod.customer_id == stock["Mine"])).scalar_one()
        grantee = {"grantee_kind": GranteeKind.USER, "grantee_id": world.ids["mei"], "level": ShareLevel.VIEW}
        db.add(Share(customer_id=period.customer_id, starts_at=scope.now(), **grantee))

    forgetful(world, "li", "customer.share", share)

    assert world.count(Share) == 1
