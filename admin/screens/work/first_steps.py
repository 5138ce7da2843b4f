"""Getting started: the first steps of an administrator on Home, each with the forms that take it."""

from dataclasses import dataclass

from models import Pool
from resolvers.runtime.ids import global_id
from resolvers.setup.first_steps import FirstStep, Step, first_steps

from ...kit.panel_request import PanelRequest
from ...kit.routes import BASE
from ...kit.translation import Label


@dataclass(frozen=True)
class ShownStep:
    """A step as Home shows it.  `forms`: (label, address) of the forms that take it; none where a pool is missing."""

    title: str
    why: str
    is_done: bool
    forms: list[tuple[str, str]]


_SAID: dict[Step, tuple[str, str]] = {
    Step.REGION: (
        Label("Set time zone and language"),
        Label("Days and weeks of every limit begin by this zone. New people get this language."),
    ),
    Step.DEPARTMENTS: (
        Label("Create departments"),
        Label("Leads see the customers of their department and of all below it."),
    ),
    Step.PEOPLE: (
        Label("Take in people"),
        Label("One form a person, or a table for up to 200. A role decides what they see and do."),
    ),
    Step.POOL: (
        Label("Create a customer pool"),
        Label("Customers without an owner wait there until somebody claims them."),
    ),
    Step.MEMBERS: (
        Label("Give the pool members"),
        Label("Only members claim from it: a person, a department or a role."),
    ),
    Step.RULE: (
        Label("Set its claim rule"),
        Label("How many customers a person may claim and hold, and when."),
    ),
    Step.CUSTOMERS: (
        Label("Add the first customers"),
        Label("Put them into the pool, or give each an owner."),
    ),
}
_FORMS: dict[Step, tuple[tuple[str, str], ...]] = {
    Step.REGION: ((Label("Set up"), "organisation/edit/org_1"),),
    Step.DEPARTMENTS: ((Label("New department"), "department/create"),),
    Step.PEOPLE: ((Label("New person"), "user/create"), (Label("Paste a table"), "user/paste")),
    Step.POOL: ((Label("New pool"), "pool/create"),),
    Step.MEMBERS: ((Label("Add members"), "pool-member/create?pool_id={pool}"),),
    Step.RULE: ((Label("Set the rule"), "claim-rule/create?pool_id={pool}"),),
    Step.CUSTOMERS: ((Label("New customer"), "customer/create"),),
}


async def shown_steps(ask: PanelRequest) -> list[ShownStep]:
    """The steps for an administrator who has not put them away; [] for everybody else, and once all are done."""
    if ask.preferences.steps == "hidden" or ask.scope.person.viewed_by is not None:
        return []
    return [_shown(step) for step in await ask.scope.read(first_steps)]


def _shown(step: FirstStep) -> ShownStep:
    title, why = _SAID[step.step]
    pool = None if step.pool_id is None else global_id(Pool, step.pool_id)
    forms = [(str(label), f"{BASE}/{to.format(pool=pool)}") for label, to in _FORMS[step.step]]
    needs_pool = any("{pool}" in to for _label, to in _FORMS[step.step])
    return ShownStep(str(title), str(why), step.is_done, [] if needs_pool and pool is None else forms)
