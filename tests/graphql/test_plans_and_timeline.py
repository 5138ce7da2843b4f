"""Plans, follow-ups with a next date, comments and the timeline through GraphQL."""

from typing import Any

from models import Plan
from tests.customers.test_timeline import lived as lived
from tests.support.graphql import Api
from tests.support.world import World


def test_a_follow_up_plans_the_next_contact_which_is_completed(api: Api, world: World) -> None:
    customer = f"cus_{world.customer('Acme', owner='li')}"
    said = {"customerId": customer, "kind": "CALL", "content": "Spoke", "nextAt": "2026-11-25T08:00:00Z"}

    made = api.change("li", "addFollowUp", said | {"nextText": "Ask again"}, "followUp { id counts } problems { code }")
    assert (made["followUp"]["counts"], made["problems"]) == (True, [])
    (plan,) = world.rows(Plan)
    world.clock.pass_by(hours=1)
    done = {"id": f"pln_{plan['id']}", "content": "They order"}
    shown = "plan { state result { content } customer { lastFollowUpAt nextFollowUpAt } } problems { code }"
    assert api.change("li", "completePlan", done, shown) == {
        "plan": {
            "state": "DONE",
            "result": {"content": "They order"},
            "customer": {"lastFollowUpAt": "2026-11-24T09:00:00.000Z", "nextFollowUpAt": None},
        },
        "problems": [],
    }
    assert api.change("li", "completePlan", done, "problems { code }") == {"problems": [{"code": "PLAN_ENDED"}]}
    copied = api.change("li", "addFollowUp", {**said, "nextAt": None}, "followUp { counts } problems { code }")
    assert copied == {"followUp": {"counts": False}, "problems": [{"code": "COPY_DOES_NOT_COUNT"}]}


def test_comments_stand_with_the_follow_up(api: Api, world: World) -> None:
    customer = f"cus_{world.customer(owner='li')}"
    said = {"customerId": customer, "kind": "CALL", "content": "Spoke"}
    call = api.change("li", "addFollowUp", said, "followUp { id }")["followUp"]["id"]

    told = api.change(
        "lead",
        "commentFollowUp",
        {"followUpId": call, "content": "Good"},
        "followUp { comments { id value author { name } } } problems { code }",
    )
    (comment,) = told["followUp"]["comments"]
    assert (comment["value"], comment["author"]["name"], told["problems"]) == ("Good", "Lena Lead", [])
    refused = api.change("li", "removeComment", {"id": comment["id"]}, "problems { code }")
    assert refused == {"problems": [{"code": "NOT_FOUND"}]}
    assert api.change("lead", "removeComment", {"id": comment["id"]}, "followUp { comments { id } }") == {
        "followUp": {"comments": []}
    }


def test_the_timeline_is_read_in_pages(api: Api, world: World, lived: int) -> None:
    ask = """query($id: ID!, $after: String) { customerTimeline(customerId: $id, after: $after, first: 4) {
        after events { kind who what text changes { field new } followUp { kind } plan { state } } } }"""

    def pages(login: str) -> list[Any]:
        events, after = list[Any](), None
        while True:
            found = api.ask(login, ask, id=f"cus_{lived}", after=after)["customerTimeline"]
            events += found["events"]
            if (after := found["after"]) is None:
                return events

    events = pages("ada")
    assert len(events) == 11
    assert [x["text"] for x in events if x["kind"] == "FOLLOW_UP"] == ["Call 2", "Call 1", "Call 0"]
    assert [x["changes"] for x in events if x["kind"] == "STAGE"] == [[{"field": "stage", "new": "early"}]]
    assert [x["what"] for x in events if x["kind"] == "OWNERSHIP"] == ["RELEASE", "TRANSFER", "CREATE"]
    assert api.ask("mei", ask, id=f"cus_{lived}", after=None) == {"customerTimeline": None}
