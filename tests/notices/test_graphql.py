"""Notifications in GraphQL: the page, the count, marking, and the choices."""

from models import Customer
from resolvers.runtime.ids import global_id
from tests.notices.test_notify import tell
from tests.support.graphql import Api
from tests.support.world import World

PAGE = """query($after: String, $unread: Boolean!) {
  notifications(filter: {unread: $unread}, first: 1, after: $after) {
    nodes { id kind title text recordId readAt } pageInfo { hasNextPage endCursor } unreadCount } }"""


def test_a_user_reads_pages_of_their_notifications_and_marks_them(world: World) -> None:
    api, customer, li = Api(world), world.customer("Acme"), world.ids["li"]
    tell(world.ada, "locked", [li], customer)
    tell(world.ada, "unlocked", [li], customer)

    newest = api.ask("li", PAGE, unread=False)["notifications"]
    (node,) = newest["nodes"]
    assert (node["kind"], node["title"], node["text"], node["recordId"], node["readAt"]) == (
        "UNLOCKED",
        "Acme was unlocked",
        "Unlocked by Ada Ng.",
        global_id(Customer, customer),
        None,
    )
    assert (newest["unreadCount"], newest["pageInfo"]["hasNextPage"]) == (2, True)
    after = newest["pageInfo"]["endCursor"]
    oldest = api.ask("li", PAGE, unread=False, after=after)["notifications"]
    assert [x["kind"] for x in oldest["nodes"]] == ["LOCKED"]
    assert not oldest["pageInfo"]["hasNextPage"]

    assert api.change("wu", "markNotificationsRead", {"ids": [node["id"]]}, "problems { code }") == {"problems": []}
    assert api.ask("li", PAGE, unread=True)["notifications"]["unreadCount"] == 2
    api.change("li", "markNotificationsRead", {"ids": [node["id"]]}, "problems { code }")
    rest = api.ask("li", PAGE, unread=True)["notifications"]
    assert ([x["kind"] for x in rest["nodes"]], rest["unreadCount"]) == (["LOCKED"], 1)


def test_a_user_chooses_by_kind_and_an_unknown_kind_is_refused(world: World) -> None:
    api = Api(world)
    answer = "choices { digestHour kinds { kind group name inPanel mail } } problems { message field }"

    given = {"kinds": [{"kind": "LOCKED", "inPanel": False, "mail": "DAILY"}], "digestHour": 17}
    payload = api.change("li", "setNotificationChoices", given, answer)
    assert payload["problems"] == []
    assert payload["choices"]["digestHour"] == 17
    assert [x for x in payload["choices"]["kinds"] if x["kind"] == "LOCKED"] == [
        {
            "kind": "LOCKED",
            "group": "Locks",
            "name": "A customer of yours was locked",
            "inPanel": False,
            "mail": "DAILY",
        }
    ]

    given = {"kinds": [{"kind": "NO", "inPanel": False, "mail": "NONE"}]}
    query = (
        "mutation ($input: NotificationChoicesInput!) { setNotificationChoices(input: $input) { problems { code } } }"
    )
    assert api.code("li", query, input=given) == "BAD_REQUEST"
    assert api.ask("li", "{ notificationChoices { digestHour } }") == {"notificationChoices": {"digestHour": 17}}
