"""What merges and their undoing should lead to: a model in plain Python, which knows nothing of the code.

The model of a merge changes a picture of the records; its undoing compares the pictures before and after the merge, and
puts back every value that still is as in the second one.
"""

import copy
import random
from typing import Any

from models import Contact, ContactPoint, Customer, FollowUp, Opportunity, Share
from resolvers.customers.transfer import transfer
from resolvers.merging.merge import Choices, merge
from resolvers.merging.unmerge import unmerge
from resolvers.records import create_update
from tests.support.merging import contact, follow_up, shared
from tests.support.world import World

FIELDS = ("name", "remark", "phone", "stage")
NAMES, PHONES = ("Ann", "Bob"), ("13800138000", "13800138001", "021555000")
OWNERS = ("li", "wu", "mei")
Picture = dict[str, dict[int, dict[str, Any]]]
"""Kind -> id -> what the record holds."""


class Model:
    """The records as they should be, and the merges that can be undone, the last one last."""

    def __init__(self) -> None:
        self.now: Picture = {kind: {} for kind in ("customer", "contact", "follow_up", "opportunity", "share")}
        self.merges: dict[int, tuple[int, list[int], Picture, Picture]] = {}

    # -- merge -------------------------------------------------------------------------------------------

    def merge(self, id: int, ids: list[int], fields: dict[str, int]) -> None:
        before = copy.deepcopy(self.now)
        winner, *losers = ids
        rows = {each: self.now["customer"][each] for each in ids}
        for key in FIELDS:
            filled = [x[key] for x in rows.values() if x[key] is not None]
            rows[winner][key] = rows[fields[key]][key] if key in fields else next(iter(filled), None)
        rows[winner]["owner"] = rows[fields.get("owner", winner)]["owner"]
        apart = self._same_people(ids)
        for kind in ("contact", "follow_up", "opportunity", "share"):
            for each, record in self.now[kind].items():
                if record["customer"] in losers and not (kind == "contact" and each in apart):
                    record["customer"] = winner
        for record in self.now["customer"].values():
            if record["into"] in losers:
                record["into"] = winner
        for loser in losers:
            rows[loser] |= {"into": winner, "live": False}
        self.merges[id] = (winner, losers, before, copy.deepcopy(self.now))

    def _same_people(self, ids: list[int]) -> set[int]:
        people = self.now["contact"]
        order = [x for at in ids for x in sorted(people) if people[x]["customer"] == at and people[x]["live"]]
        primary = [id for id in order if people[id]["primary"]]
        groups: list[list[int]] = []
        for id in order:
            group = next((group for group in groups if self._is_one(group, id)), None)
            groups.append([id]) if group is None else group.append(id)
        into = {other: group[0] for group in groups for other in group[1:]}
        for group in groups:
            titles = [people[id]["title"] for id in group if people[id]["title"] is not None]
            people[group[0]]["title"] = next(iter(titles), None)
        for other, stays in into.items():
            self._absorb(other, stays)
        for n, id in enumerate(primary):
            if id not in into:
                people[id]["primary"] = n == 0
        if primary:
            people[into.get(primary[0], primary[0])]["primary"] = True
        return set(into)

    def _is_one(self, group: list[int], id: int) -> bool:
        people = self.now["contact"]
        shares = {phone for x in group for phone in people[x]["phones"]} & set(people[id]["phones"])
        is_apart = people[id]["customer"] not in {people[x]["customer"] for x in group}
        return bool(shares) and is_apart and people[group[0]]["name"] == people[id]["name"]

    def _absorb(self, other: int, stays: int) -> None:
        people = self.now["contact"]
        people[stays]["phones"] += [x for x in people[other]["phones"] if x not in people[stays]["phones"]]
        for record in people.values():
            record["into"] = stays if record["into"] == other else record["into"]
        people[other] |= {"into": stays, "live": False}
        for record in (*self.now["follow_up"].values(), *self.now["opportunity"].values()):
            record["contact"] = stays if record["contact"] == other else record["contact"]

    # -- undone ------------------------------------------------------------------------------------------

    def may_undo(self, id: int) -> bool:
        winner = self.merges[id][0]
        later = (
            other for other in self.merges if other > id and winner in (self.merges[other][0], *self.merges[other][1])
        )
        return not any(later) and self.now["customer"][winner]["live"]

    def unmerge(self, id: int) -> None:
        _winner, losers, before, after = self.merges.pop(id)
        people = self.now["contact"]
        chosen = {x for x, record in people.items() if record["primary"] and record["live"]}
        for kind, records in self.now.items():
            for each in records.keys() & before[kind].keys():
                _put_back(records[each], before[kind][each], after[kind][each])
        for loser in losers:
            primary = [x for x, y in people.items() if y["customer"] == loser and y["primary"] and y["live"]]
            for extra in sorted(sorted(primary), key=lambda x: x not in chosen)[1:]:
                people[extra]["primary"] = False
        for record in (*self.now["follow_up"].values(), *self.now["opportunity"].values()):
            of = people.get(record["contact"])
            if of is not None and of["customer"] != record["customer"]:
                record["contact"] = None


def _put_back(record: dict[str, Any], old: dict[str, Any], new: dict[str, Any]) -> None:
    """Put back what still is as after the merge."""
    for key in record:
        if key == "phones":
            added = [x for x in new[key] if x not in old[key]]
            record[key] = [x for x in record[key] if x not in added]
        elif old[key] != new[key] and record[key] == new[key]:
            record[key] = old[key]


class Player:
    """Does the same at random to a world and to the model."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.model, self.dice = world, Model(), random.Random(seed)
        self.steps = [
            *[self.add_customer, self.add_contact, self.add_follow_up, self.add_opportunity, self.share] * 2,
            *[self.merge] * 5,
            *[self.unmerge] * 4,
            *[self.edit, self.edit_contact, self.make_primary, self.transfer],
        ]
        for _ in range(4):
            self.add_customer()
            self.add_contact()

    def play(self, steps: int) -> None:
        for _ in range(steps):
            self.world.clock.pass_by(minutes=1)
            self.dice.choice(self.steps)()

    # -- steps -------------------------------------------------------------------------------------------

    def add_customer(self) -> None:
        owner, values = self.dice.choice(OWNERS), {key: self._value(key) for key in FIELDS}
        values["name"] = values["name"] or "Otter"
        id = self.world.customer(owner=owner, **values)
        self.model.now["customer"][id] = {**values, "owner": self.world.ids[owner], "live": True, "into": None}

    def add_contact(self) -> None:
        customer, phone = self._customer(), self.dice.choice(PHONES)
        values = {"name": self.dice.choice(NAMES), "title": self.dice.choice((None, "Buyer", "Boss"))}
        is_primary = self.dice.random() < 0.5
        id = contact(self.world, customer, values["name"], phone, title=values["title"], is_primary=is_primary)
        if is_primary:
            self._demote(customer)
        more = {"customer": customer, "phones": [phone], "primary": is_primary, "live": True, "into": None}
        self.model.now["contact"][id] = {**values, **more}

    def add_follow_up(self) -> None:
        customer = self._customer()
        person = self.dice.choice([None, *self._contacts(customer)])
        id = follow_up(self.world, customer, contact_id=person)
        self.model.now["follow_up"][id] = {"customer": customer, "contact": person}

    def add_opportunity(self) -> None:
        customer = self._customer()
        person = self.dice.choice([None, *self._contacts(customer)])
        id = self.world.make(Opportunity, customer_id=customer, name="Deal", contact_id=person)
        self.model.now["opportunity"][id] = {"customer": customer, "contact": person}

    def share(self) -> None:
        customer = self._customer()
        self.model.now["share"][shared(self.world, customer, self.dice.choice(OWNERS))] = {"customer": customer}

    def edit(self) -> None:
        customer, key = self._customer(), self.dice.choice(FIELDS[1:])
        value = self._value(key)
        self.world.scope("ada").do(create_update.update, Customer, customer, {key: value})
        self.model.now["customer"][customer][key] = value

    def edit_contact(self) -> None:
        for person in self._contacts(self._customer())[:1]:
            self.world.scope("ada").do(create_update.update, Contact, person, {"title": "Changed"})
            self.model.now["contact"][person]["title"] = "Changed"

    def make_primary(self) -> None:
        customer = self._customer()
        for person in self._contacts(customer)[-1:]:
            self.world.scope("ada").do(create_update.update, Contact, person, {"is_primary": True})
            self._demote(customer)
            self.model.now["contact"][person]["primary"] = True

    def transfer(self) -> None:
        customer, owner = self._customer(), self.dice.choice(OWNERS)
        self.world.scope("ada").do(transfer, [customer], self.world.ids[owner])
        self.model.now["customer"][customer]["owner"] = self.world.ids[owner]

    def merge(self) -> None:
        live = self._live()
        ids = self.dice.sample(live, min(len(live), self.dice.choice((2, 2, 3))))
        if len(ids) < 2:
            return
        rows = [self.model.now["customer"][id] for id in ids]
        differing = [key for key in (*FIELDS, "owner") if len({row[key] for row in rows}) > 1]
        fields = {key: self.dice.choice(ids) for key in differing if self.dice.random() < 0.4}
        done = self.world.scope("ada").do(merge, ids[0], ids[1:], Choices(fields))
        self.model.merge(done.id, ids, fields)

    def unmerge(self) -> None:
        """Undo one of the merges; those that a later one holds are refused."""
        for id in self.dice.sample(sorted(self.model.merges), min(2, len(self.model.merges))):
            if self.model.may_undo(id):
                self.world.scope("ada").do(unmerge, merge_id=id)
                self.model.unmerge(id)

    # -- the same, read ----------------------------------------------------------------------------------

    def picture(self) -> Picture:
        """The records as they are."""
        world = self.world
        phones: dict[int, list[str]] = {}
        for row in sorted(world.rows(ContactPoint), key=lambda row: row["position"]):
            phones.setdefault(row["contact_id"], []).append(row["value"])
        found: Picture = {
            "customer": {
                row["id"]: {key: row[key] for key in FIELDS} | {"owner": row["owner_id"]} | _fate(row)
                for row in world.rows(Customer)
            },
            "contact": {
                row["id"]: {"name": row["name"], "title": row["title"], "customer": row["customer_id"]}
                | {"phones": phones.get(row["id"], []), "primary": row["is_primary"]}
                | _fate(row)
                for row in world.rows(Contact)
            },
            "share": {row["id"]: {"customer": row["customer_id"]} for row in world.rows(Share)},
        }
        for kind, model in (("follow_up", FollowUp), ("opportunity", Opportunity)):
            found[kind] = {
                row["id"]: {"customer": row["customer_id"], "contact": row["contact_id"]} for row in world.rows(model)
            }
        return found

    # -- helpers -----------------------------------------------------------------------------------------

    def _value(self, key: str) -> str | None:
        values: dict[str, tuple[str | None, ...]] = {
            "name": ("Otter", "Otter Ltd"),
            "remark": (None, "Old", "New"),
            "phone": (None, "021 1000"),
            "stage": (None, "early", "won"),
        }
        return self.dice.choice(values[key])

    def _live(self) -> list[int]:
        return [id for id, row in self.model.now["customer"].items() if row["live"]]

    def _customer(self) -> int:
        return self.dice.choice(self._live())

    def _contacts(self, customer: int) -> list[int]:
        return [id for id, x in self.model.now["contact"].items() if x["customer"] == customer and x["live"]]

    def _demote(self, customer: int) -> None:
        for person in self._contacts(customer):
            self.model.now["contact"][person]["primary"] = False


def _fate(row: dict[str, Any]) -> dict[str, Any]:
    return {"live": row["deleted_at"] is None, "into": row["merged_into_id"]}
