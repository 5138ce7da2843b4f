"""The screens, in the order of the menu.  An entity that has none here gets a derived one."""

from typing import Any

from models import ENTITIES, Entity

from ..kit.translation import Label
from ..kit.view import PolicyModelView
from .company.people import Departments, People, Roles, RolesOfPeople
from .company.pools import ClaimRules, Pools, PoolSeats
from .company.settings import Dictionaries, DictionaryItems, NumberRules, OrganisationPage
from .system.account import Account
from .system.explain import Simulator, Why
from .system.operation_log import OperationLog
from .system.policy import Policy
from .system.policy_review import PolicyHistory, PolicyReview
from .system.recycle_bin import BIN_SCREENS, RecycleBin
from .work.activities import FollowUps, Opportunities
from .work.contacts import Contacts
from .work.customers import Customers
from .work.home import Home
from .work.pool import Pooled

GROUPS = {
    "work": Label("Work"),
    "house": Label("Backend"),
    "system": Label("System"),
    "more": Label("More"),
}
"""Group -> its heading in the menu, in order."""

SCREENS: list[type] = [
    Home,
    Customers,
    Contacts,
    Pooled,
    Opportunities,
    FollowUps,
    Pools,
    People,
    Departments,
    Roles,
    Policy,
    Dictionaries,
    NumberRules,
    OrganisationPage,
    RecycleBin,
    OperationLog,
    Account,
    PoolSeats,
    ClaimRules,
    RolesOfPeople,
    DictionaryItems,
    PolicyReview,
    PolicyHistory,
    Simulator,
    Why,
    *BIN_SCREENS,
]


def screens() -> list[type]:
    """Every screen: the declared ones, then one for each entity that has none."""
    shown = {view.model for view in SCREENS if issubclass(view, PolicyModelView) and not view.slug}
    return [*SCREENS, *(plain(model) for model in ENTITIES if model not in shown)]


def plain(model: type[Entity]) -> type[PolicyModelView]:
    """The screen of an entity about which nobody has said anything."""
    meta: Any = type(PolicyModelView)
    made: type[PolicyModelView] = meta(
        f"{model.__name__}Screen", (PolicyModelView,), {"__module__": __name__}, model=model
    )
    return made
