"""Saved views: whose they are, what their readers find in them, and what is left of one whose column is gone."""

from typing import Any

import pytest
from sqlalchemy import update

from models import Customer, FollowUp, SavedView
from models.errors import Conflict, Forbidden, NotFound, Refusal, Validation
from resolvers.views import saved_views as views
from resolvers.views.settings import ViewSettings
from tests.support.claim_checks import unchanged
from tests.support.graphql import Api
from tests.support.refusals import add_line
from tests.support.secrecy import SECRET
from tests.support.world import World

OPEN = {"stage": {"in": ["early"]}}


def saved(world: World, login: str, name: str = "Early", condition: Any = OPEN, **more: Any) -> int:
    settings = ViewSettings(condition=condition, **more.pop("settings", {}))
    id: int = world.scope(login).do(views.save_view, Customer, name, settings, **more)
    return id


def listed(world: World, login: str) -> dict[str, views.View]:
    found: list[views.View] = world.run(world.scope(login).read(views.saved_views, Customer))
    return {view.name: view for view in found}


def counted(world: World, login: str, name: str) -> int:
    return world.run(world.scope(login).read(views.count, listed(world, login)[name]))


def refused(world: World, login: str, kind: type[Refusal], *call: Any, **more: Any) -> Refusal:
    with unchanged(world), pytest.raises(kind) as found:
        world.scope(login).do(*call, **more)
    assert found.value.say("zh") != found.value.say("en")
    return found.value


def test_a_view_is_its_owners_until_it_is_shared(world: World) -> None:
    world.customer("Acme", "li", stage="early")
    world.customer("Mine", "wu", stage="early")
    id = saved(world, "lead")

    assert "Early" not in listed(world, "li")
    refused(world, "li", NotFound, views.delete_view, id)
    world.lead.do(views.share_view, id, everyone=False, departments=[world.ids["east"]])

    assert [counted(world, login, "Early") for login in ("lead", "li", "wu")] == [2, 1, 1]
    assert "Early" not in listed(world, "mei")
    assert listed(world, "li")["Early"].departments == ()
    refused(world, "li", Validation, views.save_view, Customer, "Other", ViewSettings(), id=id)
    refused(world, "li", Validation, views.delete_view, id)
    refused(world, "lead", NotFound, views.share_view, id, everyone=False, roles=[world.ids["support"]])
    world.lead.do(views.share_view, id, everyone=False)
    assert "Early" not in listed(world, "li")
    world.lead.do(views.delete_view, id)
    assert not listed(world, "lead")


def test_a_view_is_shared_with_the_holders_of_a_role(world: World) -> None:
    id = saved(world, "ada")
    world.ada.do(views.share_view, id, everyone=False, roles=[world.ids["support"], world.ids["sales_lead"]])

    assert [bool(listed(world, login)) for login in ("sam", "lead", "li")] == [True, True, False]


def test_sharing_asks_for_a_right_of_its_own(world: World) -> None:
    id = saved(world, "li")

    refusal = refused(world, "li", Forbidden, views.share_view, id, everyone=True)

    assert refusal.say("zh") == "您的角色没有此权限：共享视图（人员）。请联系管理员开通。"
    world.li.do(views.share_view, id, everyone=False)  # to end it asks for none
    refused(world, "lead", NotFound, views.share_view, id, everyone=True)


def test_a_view_is_changed_whole_and_not_over_a_newer_one(world: World) -> None:
    id = saved(world, "li", settings={"columns": ("name", "phone"), "order": (("name", True),), "size": 50})
    before = listed(world, "li")["Early"]
    saved(world, "li", "Late", {"stage": {"in": ["won"]}}, id=id, version=before.version)

    assert list(listed(world, "li")) == ["Late"]
    refused(world, "li", Conflict, views.save_view, Customer, "Older", ViewSettings(), id=id, version=before.version)
    refused(world, "li", Validation, views.save_view, FollowUp, "Late", ViewSettings(), id=id)
    refused(world, "li", Validation, views.save_view, Customer, "Late", ViewSettings())
    refused(world, "li", Validation, views.save_view, Customer, "  ", ViewSettings())
    refused(world, "li", Validation, views.save_view, Customer, "Bad", ViewSettings(columns=("salary",)))
    bad = ViewSettings(condition={"or": [{"stage": {"gt": 1}}]})
    assert refused(world, "li", Validation, views.save_view, Customer, "Bad", bad).field == "filter.or[0].stage.gt"


def test_a_view_of_something_that_is_gone_still_opens_and_says_so(world: World) -> None:
    world.customer("Acme", "li", stage="early")
    id = saved(world, "li", settings={"columns": ("name", "phone"), "order": (("name", False),)})
    gone = {"and": [OPEN, {"turnover": {"gt": 5}}], "followUps": {"none": {"mood": {"eq": "good"}}}}
    table = SavedView.__table__
    settings = {"condition": gone, "columns": ["name", "turnover"], "order": [["turnover", True], ["name", False]]}
    with world.backend.writer.engine.begin() as connection:
        connection.execute(update(table).where(table.c.id == id).values(settings=settings))

    view = listed(world, "li")["Early"]

    assert view.settings.condition == {"and": [OPEN]}
    assert (view.settings.columns, view.settings.order) == (("name",), (("name", False),))
    assert len(view.said("en")) == 2
    assert all("已忽略" in sentence for sentence in view.said("zh"))
    assert counted(world, "li", "Early") == 1


def test_a_field_that_its_reader_does_not_see_counts_as_empty_and_the_view_says_so(world: World) -> None:
    add_line(world, "p, sales, customer.phone, view, all, any, deny")
    world.customer("Acme", "li", phone=SECRET)
    id = saved(world, "ada", "Number", {"phone": {"startsWith": SECRET[:4]}})
    world.ada.do(views.share_view, id, everyone=True)

    assert counted(world, "ada", "Number") == 1
    assert counted(world, "li", "Number") == 0
    assert listed(world, "li")["Number"].said("en") == ["You do not see the field “Phone”, so it counts as empty here."]
    assert listed(world, "ada")["Number"].said("en") == []


def test_no_count_of_a_view_and_no_related_condition_tells_a_hidden_number(world: World) -> None:
    """Li searches the number of a pooled customer and of a contact digit by digit, by every operator that compares."""
    pooled = world.customer("Pooled", pool="north", phone=SECRET, contact_name="Zoe", contact_phone=SECRET)
    world.make(FollowUp, customer_id=pooled, kind="CALL", content="said", happened_at=world.clock())
    number = ({"startsWith": "1"}, {"contains": "9"}, {"gt": "1"}, {"lte": "2"}, {"eq": SECRET}, {"in": [SECRET]})
    ways = [{"phone": each} for each in number if not {"gt", "lte"} & each.keys()]
    ways += [{"phone": {"isNull": False}}, {"contacts": {"some": {"points": {"some": {}}}}}]
    ways += [
        {"contacts": {"some": {"points": {"some": {"value": each}}}}}
        for each in number
        if "gt" not in each and "lte" not in each
    ]
    ways += [{"contacts": {"some": {"customer": {"is": way}}}} for way in ways[:3]]
    ways += [{"followUps": {"some": {"customer": {"is": way}}}} for way in ways[:3]]

    for way in ways:
        for condition, expected in ((way, 0), ({"not": way}, 1)):
            id = saved(world, "li", "Probe", condition)
            assert counted(world, "li", "Probe") == expected, condition
            world.li.do(views.delete_view, id)


def test_views_by_graphql(world: World, api: Api) -> None:
    world.customer("Acme", "li", stage="early")
    given = {"entity": "CUSTOMER", "name": "Early", "filter": OPEN, "columns": ["name"], "order": [{"field": "name"}]}
    made = api.change(
        "li", "saveView", given, "view { id name filter count version isMine notes owner { name } } problems { code }"
    )

    view = made["view"]
    assert made["problems"] == []
    assert (view["filter"], view["count"], view["isMine"], view["owner"]) == (OPEN, 1, True, {"name": "Li Na"})
    bad = {**given, "name": "Bad", "filter": {"stage": {"is": "x"}}}
    refusal = api.change("li", "saveView", bad, "view { id } problems { code field message }")
    assert refusal["view"] is None
    assert refusal["problems"][0]["field"] == "filter.stage.is"
    denied = api.change("li", "shareView", {"id": view["id"], "forEveryone": True}, "problems { code }")
    assert denied == {"problems": [{"code": "FORBIDDEN"}]}
    assert [x["name"] for x in api.ask("li", "{ savedViews(entity: CUSTOMER) { name } }")["savedViews"]] == ["Early"]
    assert api.change("li", "deleteView", {"id": view["id"]}, "problems { code }") == {"problems": []}
    assert api.ask("li", "{ savedViews { name } }") == {"savedViews": []}


# --- order and log ---------------------------------------------------------------------------------------


def test_a_view_takes_its_place_among_its_owners_views_of_the_list(world: World) -> None:
    first, second, third = (saved(world, "li", name) for name in ("A", "B", "C"))
    world.li.do(views.save_view, FollowUp, "Other", ViewSettings())

    saved(world, "li", "C", id=third, position=0)
    assert [*listed(world, "li")] == ["C", "A", "B"]
    saved(world, "li", "C", id=third, position=99)
    saved(world, "li", "A", id=first, position=1)
    assert [*listed(world, "li")] == ["B", "A", "C"]
    assert listed(world, "li")["B"].version == 1
    assert [x["changes"].get("position") for x in world.log("saved_view")][-3:] == [[3, 1], [1, 3], [1, 2]]
    assert second


def test_what_becomes_of_a_view_is_logged_for_readers_of_the_log_alone(world: World) -> None:
    mark = world.mark()
    id = saved(world, "lead", "Early")
    saved(world, "lead", "Soon", id=id)
    world.lead.do(views.share_view, id, everyone=True, departments=[world.ids["east"]])
    world.lead.do(views.share_view, id, everyone=False)
    world.lead.do(views.delete_view, id)

    logged = [(x["action"], x["label"], x["changes"]) for x in world.log("saved_view", since=mark)]
    assert logged == [
        ("user.views", "Early", {"name": [None, "Early"]}),
        ("user.views", "Soon", {"name": ["Early", "Soon"]}),
        ("user.share_views", "Soon", {"shared_with": [[], ["East"]], "for_everyone": [False, True]}),
        ("user.share_views", "Soon", {"shared_with": [["East"], []], "for_everyone": [True, False]}),
        ("user.drop_view", "Soon", {}),
    ]
    assert world.log("app_user", world.ids["lead"], since=mark) == []
    asked = "{ auditEntries { nodes { action label changes { field old new } } } }"
    shown = Api(world).ask("aud", asked)["auditEntries"]["nodes"][0]
    assert (shown["action"], shown["label"]) == ("USER_DROP_VIEW", "Soon")
