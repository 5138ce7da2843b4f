"""Accounts of others through GraphQL: one-time passwords, unlocking, sessions, and the view of another user."""

import httpx

from resolvers.customers.lock import lock
from resolvers.people import sessions
from tests.support.graphql import Api
from tests.support.programs import Program
from tests.support.sign_in import give_passwords, sign_in, who
from tests.support.world import World

PROBLEM = "problems { code }"
SESSIONS = (
    "query ($userId: ID) { sessions(userId: $userId, first: 5) { sessionId address agent seenAt expiresAt isThis } }"
)


def test_an_administrator_gives_a_one_time_password_that_is_shown_once(api: Api, world: World) -> None:
    li = {"userId": f"usr_{world.ids['li']}"}

    made = api.change("ada", "giveOneTimePassword", li, f"secret {PROBLEM}")

    assert made["problems"] == []
    assert sign_in(world, "li", made["secret"]).principal.must_change_password
    assert api.change("wu", "giveOneTimePassword", li, f"secret {PROBLEM}") == {
        "secret": None,
        "problems": [{"code": "FORBIDDEN"}],
    }
    assert made["secret"] not in str(world.everything())


def test_sessions_are_listed_and_ended(api: Api, world: World) -> None:
    give_passwords(world, "li")
    signed, other = sign_in(world, "li", address="10.0.0.7"), sign_in(world, "li")
    li = f"usr_{world.ids['li']}"

    newest, oldest = api.ask("ada", SESSIONS, userId=li)["sessions"]
    assert (oldest["address"], oldest["agent"], oldest["isThis"]) == ("10.0.0.7", "Mozilla/5.0", False)
    assert api.ask("li", SESSIONS)["sessions"] == [newest, oldest]
    assert api.code("wu", SESSIONS, userId=li) == "FORBIDDEN"

    one = api.change("ada", "endSessions", {"userId": li, "ids": [oldest["sessionId"]]}, f"ended {PROBLEM}")
    assert one == {"ended": 1, "problems": []}
    assert [who(world, x.token) for x in (signed, other)] == [None, "li"]
    again = api.change("ada", "endSessions", {"userId": li, "ids": [oldest["sessionId"]]}, f"ended {PROBLEM}")
    assert again == {"ended": 0, "problems": [{"code": "NOT_FOUND"}]}
    assert api.change("li", "endSessions", {}, f"ended {PROBLEM}") == {"ended": 1, "problems": []}
    assert world.run(world.li.read(sessions.sessions_of)) == []


def test_an_account_is_unlocked_by_who_may_edit_it(api: Api, world: World) -> None:
    give_passwords(world, "li")
    li = {"userId": f"usr_{world.ids['li']}"}

    assert api.change("ada", "unlockAccount", li, PROBLEM) == {"problems": []}
    assert api.change("wu", "unlockAccount", li, PROBLEM) == {"problems": [{"code": "FORBIDDEN"}]}
    mei = {"userId": f"usr_{world.ids['mei']}"}
    assert api.change("ada", "unlockAccount", mei, PROBLEM) == {"problems": [{"code": "VALIDATION"}]}


def test_a_view_as_another_user_begins_and_ends(api: Api, world: World) -> None:
    li = {"userId": f"usr_{world.ids['li']}"}

    made = api.change("ada", "startViewAs", li, f"token expiresAt {PROBLEM}")
    assert made["problems"] == []
    assert who(world, made["token"]) is None
    assert api.change("wu", "startViewAs", li, f"token {PROBLEM}") == {
        "token": None,
        "problems": [{"code": "FORBIDDEN"}],
    }
    assert api.change("ada", "stopViewAs", {"token": made["token"]}, PROBLEM) == {"problems": []}


def test_a_request_with_the_view_of_another_reads_as_they_do_and_changes_nothing(world: World) -> None:
    mine, locked = world.customer("Acme", "li"), world.customer("Bolt", "li")
    world.customer("Mei's", "mei")
    world.li.do(lock, [locked], "Mine")
    program = Program(world, "ada")
    token = program.change("startViewAs", "AccountInput", "token", userId=f"usr_{world.ids['li']}")["token"]

    def ask(query: str, looking: str = token, **headers: str) -> httpx.Response:
        headers = {"x-view-as": looking} | headers
        return program.post("/graphql", json={"query": query}, headers=headers)

    own = program.ask("{ customers { totalCount } }")
    for _ in range(3):  # a plan of others is not used, and none is made
        seen = ask("{ me { user { login } } customers { totalCount nodes { id } } }").json()["data"]
        assert seen["me"]["user"]["login"] == "li"
        assert [x["id"] for x in seen["customers"]["nodes"]] == [f"cus_{mine}"], "a lock stays closed to who looks"
    assert program.ask("{ customers { totalCount } }") == own
    changed = ask(f'mutation {{ deleteCustomers(input: {{ids: ["cus_{mine}"]}}) {{ problems {{ code }} }} }}').json()
    assert [x["code"] for x in changed["data"]["deleteCustomers"]["problems"]] == ["ONLY_LOOKING"]
    assert ask("subscription { notificationAdded { unreadCount } }", accept="text/event-stream").status_code == 400
    assert (
        Program(world, "mei")
        .post("/graphql", json={"query": "{ me { user { id } } }"}, headers={"x-view-as": token})
        .status_code
        == 403
    )

    program.change("stopViewAs", "StopViewAsInput", "problems { code }", token=token)
    ended = ask("{ me { user { login } } }")
    assert (ended.status_code, ended.json()["errors"][0]["extensions"]["code"]) == (403, "VIEW_ENDED")
