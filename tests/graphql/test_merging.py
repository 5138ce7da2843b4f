"""Merging customers through the API: preview, merge, undo, and a request that is sent twice."""

from models import Contact, Customer
from resolvers.runtime.ids import global_id
from tests.support.graphql import Api
from tests.support.merging import contact
from tests.support.world import World

PREVIEW = """query($winner: ID!, $losers: [ID!]!) { mergePreview(winnerId: $winner, loserIds: $losers) {
  customers { stays customer { id name } } fields { field proposedId values { recordId value hidden mayStay } }
  contacts { contactIds name fields { field proposedId } } } }"""
MERGED = "mergeId ids customer { id name stage formerNames { kind value } } problems { code message recordId params }"
UNDONE = "ids kept customer { id stage } problems { code message }"


def test_a_merge_and_its_undo(world: World) -> None:
    api, ids = (
        Api(world),
        [world.customer("Otter Ltd", "li", stage="won"), world.customer("Otter", "wu", stage="early")],
    )
    winner, loser = (global_id(Customer, id) for id in ids)
    people = [contact(world, id, "Ann", "138 0013 8000", title=f"T{id}") for id in ids]
    mine, theirs = (global_id(Contact, id) for id in people)

    found = api.ask("ada", PREVIEW, winner=winner, losers=[loser])["mergePreview"]
    assert [x["customer"]["name"] for x in found["customers"] if x["stays"]] == ["Otter Ltd"]
    assert [x["field"] for x in found["fields"]] == ["name", "stage", "owner"]
    assert found["fields"][1] == {
        "field": "stage",
        "proposedId": winner,
        "values": [
            {"recordId": winner, "value": "won", "hidden": False, "mayStay": True},
            {"recordId": loser, "value": "early", "hidden": False, "mayStay": True},
        ],
    }
    assert found["fields"][2]["values"][1]["value"] == f"usr_{world.ids['wu']}"
    titles = [{"field": "title", "proposedId": mine}]
    assert found["contacts"] == [{"contactIds": [mine, theirs], "name": "Ann", "fields": titles}]

    given = {
        "winnerId": winner,
        "loserIds": [loser],
        "fields": [{"field": "stage", "fromId": loser}],
        "contacts": [{"contactId": mine, "field": "title", "fromId": theirs}],
        "idempotencyKey": "once",
    }
    number = world.row(Customer, ids[1])["number"]
    done = api.change("ada", "mergeCustomers", given, MERGED)
    assert api.change("ada", "mergeCustomers", given, MERGED) == done
    assert done["problems"] == []
    assert done["ids"] == [loser]
    assert done["customer"]["stage"] == "early"
    names = [{"kind": "NAME", "value": "Otter"}, {"kind": "NUMBER", "value": number}]
    assert done["customer"]["formerNames"] == names
    assert world.row(Contact, people[0])["title"] == f"T{ids[1]}"

    refused = api.change("ada", "mergeCustomers", {"winnerId": loser, "loserIds": [winner]}, MERGED)
    assert [x["code"] for x in refused["problems"]] == ["MERGED"]
    assert refused["problems"][0]["params"]["winnerId"] == winner

    back = api.change("ada", "unmergeCustomers", {"mergeId": done["mergeId"], "idempotencyKey": "back"}, UNDONE)
    assert api.change("ada", "unmergeCustomers", {"mergeId": done["mergeId"], "idempotencyKey": "back"}, UNDONE) == back
    assert back == {"ids": [loser], "kept": [], "customer": {"id": winner, "stage": "won"}, "problems": []}
    again = api.change("ada", "unmergeCustomers", {"winnerId": winner}, UNDONE)
    assert [x["code"] for x in again["problems"]] == ["NOT_FOUND"]


def test_a_preview_of_what_is_out_of_sight_is_refused_like_one_of_nothing(world: World) -> None:
    api, mine, hers = Api(world), world.customer("A", "li"), world.customer("B", "mei")

    codes = {api.code("li", PREVIEW, winner=f"cus_{mine}", losers=[id]) for id in (f"cus_{hers}", "cus_999999", "x")}

    assert codes == {"NOT_FOUND"}
