"""The policy over GraphQL: drafted, reviewed, activated, taken back, and explained."""

import pytest
from sqlalchemy import insert

from models import PolicyDraft, PolicyLine
from policies import STARTER
from tests.support.graphql import Api
from tests.support.policy_api import HIDE, PROBLEMS, draft, review
from tests.support.world import World

OWN_ONLY = "p, support, customer, view, all, !deleted, allow"


def test_a_role_manager_hides_a_field_sees_whom_it_concerns_and_takes_it_back(api: Api, world: World) -> None:
    world.customer("Acme", contact_name="Ann", contact_phone="111")
    asked = "{ contacts { nodes { name points { value } } } }"
    assert api.ask("sam", asked)["contacts"]["nodes"] == [{"name": "Ann", "points": [{"value": "111"}]}]

    id = draft(api, "rolf", STARTER + HIDE + "\n")
    seen = review(
        api,
        "rolf",
        id,
        "added removed mayTakeEffect keepsAnAdministrator needsSecond widens problems beyond { object } changes { roles "
        "people { name } objects actions before { allow { words } deny { words } } after { deny { words sentence } } "
        "gainedWhen { words } lostWhen { words sentence } }",
    )
    assert (seen["added"], seen["removed"], seen["problems"], seen["beyond"]) == ([HIDE], [], [], [])
    assert (seen["mayTakeEffect"], seen["keepsAnAdministrator"], seen["needsSecond"]) == (True, True, False)
    (change,) = seen["changes"]
    assert change["roles"] == [["support"]]
    assert change["people"] == [{"name": "Sam Ode"}]
    assert (change["objects"], change["actions"]) == (["contact.points"], ["VIEW"])
    assert {"words": ["!deleted"]} in change["before"]["allow"]
    assert {"words": [], "sentence": "always"} in change["after"]["deny"]
    assert change["gainedWhen"] is None
    assert change["lostWhen"] == {
        "words": ["!in_pool", "!deleted"],  # what lies in a pool was hidden from him before
        "sentence": "it lies in no pool, it is not in the recycle bin",
    }

    given = {"draftId": id, "reason": "phones are private", "reviewed": seen["reviewed"]}
    done = api.change("rolf", "activatePolicy", given, f"number {PROBLEMS}")
    assert done == {"number": 2, "problems": []}
    assert api.ask("sam", asked)["contacts"]["nodes"] == [{"name": "Ann", "points": []}]

    back = api.change("rolf", "rollbackPolicy", {"number": 1, "reason": "they call"}, f"number {PROBLEMS}")
    assert back == {"number": 3, "problems": []}
    assert api.ask("sam", asked)["contacts"]["nodes"] == [{"name": "Ann", "points": [{"value": "111"}]}]
    history = api.ask(
        "rolf", "{ policyRevisions(first: 2) { number author { name } reason parent backTo review text } }"
    )
    newest, middle = history["policyRevisions"]
    assert (newest["number"], newest["reason"], newest["parent"], newest["backTo"]) == (3, "they call", 2, 1)
    assert (middle["author"], middle["review"]["added"], middle["text"]) == ({"name": "Rolf Vik"}, [HIDE], None)
    older = api.ask("rolf", "{ policyRevisions(before: 2) { number } policyRevision(number: 1) { text } }")
    assert older == {"policyRevisions": [{"number": 1}], "policyRevision": {"text": STARTER}}


def test_effects_are_counted_where_they_are_selected(api: Api, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from resolvers.access import policy_impact

    ids = [world.customer(f"C{n}", owner=owner) for n, owner in enumerate(("li", "li", "mei", "wu"))]
    text = STARTER.replace(OWN_ONLY, OWN_ONLY.replace("all, !deleted", "own, !deleted"))
    counted = []
    real = policy_impact.effects
    monkeypatch.setattr(policy_impact, "effects", lambda *given: counted.append(1) or real(*given))
    query = "query ($text: String) {{ reviewPolicy(text: $text) {{ changes {{ objects {0} }} }} }}"

    plain = api.ask("ada", query.format(""), text=text)["reviewPolicy"]["changes"]
    assert counted == []

    effects = "effects { object action won lost samplesWon { recordId } samplesLost { recordId label } }"
    changes = api.ask("ada", query.format(effects), text=text)["reviewPolicy"]["changes"]
    assert len(counted) == len(changes) == len(plain)
    (told,) = [x for change in changes for x in change["effects"] if x["object"] == "customer"]
    assert (told["action"], told["won"], told["lost"], told["samplesWon"]) == ("VIEW", 0, 4, [])
    assert told["samplesLost"] == [
        {"recordId": f"cus_{id}", "label": f"C{2026001 + n}"} for n, id in enumerate(ids[:3])
    ]
    # Rolf looks after roles and sees no customer, so he learns of none.
    changes = api.ask("rolf", query.format(effects), text=text)["reviewPolicy"]["changes"]
    (told,) = [x for change in changes for x in change["effects"] if x["object"] == "customer"]
    assert (told["lost"], told["samplesLost"]) == (0, [])


def test_text_that_is_no_policy_is_answered_with_its_lines(api: Api) -> None:
    found = api.ask(
        "rolf", "query ($t: String) { reviewPolicy(text: $t) { problems mayTakeEffect changes { objects } } }", t="p, x"
    )["reviewPolicy"]

    assert found == {
        "problems": [
            "line 1: a p line has 6 columns (role, object, action, scope, when, allow or deny), this one has 1"
        ],
        "mayTakeEffect": False,
        "changes": [],
    }


def test_a_right_beyond_the_ceiling_is_named_with_the_case_and_refused_as_a_problem(api: Api, world: World) -> None:
    id = draft(api, "rolf", STARTER + "p, sales, customer, purge, own, deleted, allow\n")

    seen = review(
        api, "rolf", id, "mayTakeEffect beyond { roles people { name } object actions when { words } asCeiling }"
    )

    assert not seen["mayTakeEffect"]
    told = {tuple(x["roles"]): x for x in seen["beyond"]}[("sales",)]
    assert (told["object"], told["actions"], told["asCeiling"]) == ("customer", ["PURGE"], False)
    assert {"own", "deleted"} <= set(told["when"]["words"])
    assert {"name": "Li Na"} in told["people"]
    given = {"draftId": id, "reason": "more", "reviewed": seen["reviewed"]}
    (problem,) = api.change("rolf", "activatePolicy", given, f"number {PROBLEMS}")["problems"]
    assert problem["code"] == "BEYOND_CEILING"
    assert world.backend.policy.text == STARTER


def test_what_is_wrong_with_a_change_is_a_problem(api: Api, world: World) -> None:
    id = draft(api, "rolf", STARTER + HIDE + "\n")
    for field, given, code in (
        ("activatePolicy", {"draftId": id, "reason": "why", "reviewed": "another text"}, "CONFLICT"),
        ("activatePolicy", {"draftId": "drf_999", "reason": "why", "reviewed": ""}, "NOT_FOUND"),
        ("activatePolicy", {"draftId": "1", "reason": "why", "reviewed": ""}, "NOT_FOUND"),
        ("rollbackPolicy", {"number": 1, "reason": " "}, "VALIDATION"),
        ("rollbackPolicy", {"number": 77, "reason": "why"}, "NOT_FOUND"),
    ):
        payload = api.change("rolf", field, given, f"number {PROBLEMS}")
        assert (payload["number"], [x["code"] for x in payload["problems"]]) == (None, [code]), given
    assert api.code("rolf", '{ reviewPolicy(draftId: "drf_999") { base } }') == "NOT_FOUND"
    assert api.code("rolf", "{ reviewPolicy { base } }") == "VALIDATION"
    assert api.ask("rolf", "{ policyRevision(number: 77) { number } }") == {"policyRevision": None}


def test_a_draft_catches_up_and_is_given_up(api: Api, world: World) -> None:
    mine = draft(api, "rolf", STARTER + HIDE + "\n")
    theirs = draft(api, "ada", STARTER + "p, sales, customer, export, own, any, allow\n")
    seen = review(api, "ada", theirs, "base")
    api.change("ada", "activatePolicy", {"draftId": theirs, "reason": "r", "reviewed": seen["reviewed"]}, "number")
    waiting = "{ policyDrafts { id author { name } base isBehind } }"
    (row,) = api.ask("rolf", waiting)["policyDrafts"]
    assert row == {"id": mine, "author": {"name": "Rolf Vik"}, "base": 1, "isBehind": True}

    moved = api.ask("rolf", f"mutation {{ catchUpPolicyDraft {{ number {PROBLEMS} }} }}")["catchUpPolicyDraft"]
    assert moved == {"number": 2, "problems": []}
    assert api.ask("rolf", waiting)["policyDrafts"][0]["isBehind"] is False
    assert review(api, "rolf", mine, "added removed")["added"] == [HIDE]

    assert api.ask("rolf", f"mutation {{ discardPolicyDraft {{ {PROBLEMS} }} }}") == {
        "discardPolicyDraft": {"problems": []}
    }
    assert world.rows(PolicyDraft) == []


def test_a_role_is_copied_with_its_lines(api: Api, world: World) -> None:
    given = {"roleId": f"rol_{world.ids['support']}", "code": "hotline", "name": "Hotline", "reason": "a new team"}

    made = api.change("ada", "copyRole", given, f"role {{ code name }} {PROBLEMS}")

    assert made == {"role": {"code": "hotline", "name": "Hotline"}, "problems": []}
    assert "p, hotline, customer, dupcheck, all, any, allow" in api.ask("ada", "{ policy { text } }")["policy"]["text"]
    (problem,) = api.change("ada", "copyRole", given, PROBLEMS)["problems"]
    assert problem["code"] == "DUPLICATE"


def test_what_is_in_force_is_said_with_what_somebody_wrote_past_it(api: Api, world: World) -> None:
    calm = api.ask("rolf", "{ policy { number text problems foreign } }")["policy"]
    assert calm == {"number": 1, "text": STARTER, "problems": [], "foreign": None}
    with world.backend.writer.engine.begin() as connection:
        row = dict(zip(("v0", "v1", "v2", "v3", "v4", "v5"), ("sales", "*", "*", "all", "any", "allow"), strict=True))
        connection.execute(insert(PolicyLine.__table__), {"ptype": "p", **row})  # type: ignore[arg-type]

    found = api.ask("rolf", "{ policy { text foreign } }")["policy"]

    assert found["text"] == STARTER
    assert found["foreign"] == STARTER + "p, sales, *, *, all, any, allow\n"


def test_somebody_without_the_right_learns_and_changes_nothing(api: Api, world: World) -> None:
    mine = world.customer("Acme")
    for query in (
        "{ policy { text } }",
        "{ policyRevisions { number } }",
        "{ policyRevision(number: 1) { text } }",
        "{ policyDrafts { text } }",
        '{ reviewPolicy(text: "") { added } }',
        f'{{ whoCanAccess(recordId: "cus_{mine}") {{ lines }} }}',
        f'{{ explainAccess(userId: "usr_{world.ids["wu"]}", action: VIEW, recordId: "cus_{mine}") {{ allowed }} }}',
    ):
        assert api.code("li", query) == "FORBIDDEN", query
    before = world.everything()
    for field, given in (
        ("draftPolicy", {"text": STARTER}),
        ("activatePolicy", {"draftId": "drf_1", "reason": "r", "reviewed": "x"}),
        ("rollbackPolicy", {"number": 1, "reason": "r"}),
        ("copyRole", {"roleId": f"rol_{world.ids['sales']}", "code": "x", "name": "X", "reason": "r"}),
    ):
        assert [x["code"] for x in api.change("li", field, given, PROBLEMS)["problems"]] == ["FORBIDDEN"], field
    for field in ("discardPolicyDraft", "catchUpPolicyDraft"):
        payload = api.ask("li", f"mutation {{ {field} {{ {PROBLEMS} }} }}")[field]
        assert [x["code"] for x in payload["problems"]] == ["FORBIDDEN"], field
    assert world.everything() == before


def test_a_refused_part_leaves_the_other_parts_alone(api: Api, world: World) -> None:
    world.customer("Acme")

    answer = api.answer("li", "{ policy { text } customers { nodes { name } } }")

    assert answer["data"] == {"policy": None, "customers": {"nodes": [{"name": "Acme"}]}}
    assert [error["path"] for error in answer["errors"]] == [["policy"]]


# --- why -------------------------------------------------------------------------------------------------


def test_why_not_is_said_line_for_line_in_words(api: Api, world: World) -> None:
    theirs = world.customer("Acme", "wu")
    query = (
        "query ($user: ID!, $id: ID!, $action: Action!, $field: String) { explainAccess(userId: $user, action: $action, "
        "recordId: $id, field: $field) { person object allowed reasons { line effect fired missing sentence } "
        "whole { object allowed } } }"
    )
    asked = {"user": f"usr_{world.ids['li']}", "id": f"cus_{theirs}", "action": "EDIT"}

    told = api.ask("aud", query, **asked)["explainAccess"]

    assert (told["person"], told["object"], told["allowed"], told["whole"]) == ("Li Na", "customer", False, None)
    assert {
        "line": "p, sales, customer, edit, own, any, allow",
        "effect": "ALLOW",
        "fired": False,
        "missing": "own",
        "sentence": "you are its owner",
    } in told["reasons"]
    assert api.ask("aud", query, **{**asked, "field": "phone"})["explainAccess"]["object"] == "customer.phone"
    for login in ("li", "rolf"):
        assert api.answer(login, query, **asked)["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    for id in ("cus_999999", "nonsense", "aud_1", ""):
        assert api.answer("rolf", query, **{**asked, "id": id})["errors"][0]["extensions"]["code"] == "NOT_FOUND"


def test_everybody_with_access_is_named_with_the_line_that_lets_him(api: Api, world: World) -> None:
    mine = world.customer("Acme", "li")

    found = api.ask("aud", f'{{ whoCanAccess(recordId: "cus_{mine}", action: EDIT) {{ person {{ name }} lines }} }}')

    assert {x["person"]["name"] for x in found["whoCanAccess"]} == {"Ada Ng", "Lena Lead", "Li Na"}
