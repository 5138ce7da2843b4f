"""What the policy says about one user, asked of the database below the guards: what the panel must show."""

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from sqlalchemy import select, true

from models import Base, Customer, CustomField, SignInAttempt, User
from policies import Facts
from policies.objects import field_name
from tests.support.world import World

from .declared import Canary


class Oracle:
    """The rights of one user, without the panel."""

    def __init__(self, world: World, login: str) -> None:
        self.world, self.login = world, login
        self.person, self.policy = world.principal(login), world.backend.policy

    def ever(self, action: str, module: str) -> bool:
        """Whether the user may do this to any record."""
        return self.policy.ever(self.person, action, module)

    def always(self, right: str) -> bool:
        """Whether the user may do `role.view` to the records of any user."""
        module, _, action = right.partition(".")
        return self.policy.may(self.person, action, module, Facts())

    def has_signed_in(self, id: int) -> bool:
        return bool(self.world.rows(SignInAttempt, SignInAttempt.user_id == id, SignInAttempt.ok))

    def ids(self, model: type[Base], action: str = "view") -> set[int]:
        """The records to which the user may do this."""
        return self._where(model, self.policy.where(self.person, action, model, model.__table__.c))

    def with_field(self, model: type[Base], key: str) -> set[int]:
        """The records in which the user sees a field."""
        guard = self.policy.guard(self.person, model, field_name(key), model.__table__.c)
        return self.ids(model) & (self._where(model, guard) if guard is not None else self._where(model, true()))

    def hidden(self, model: type[Base]) -> list[int]:
        return sorted(self._where(model, true()) - self.ids(model))

    def kinds(self, model: type[Base], *actions: str) -> list[int]:
        """A record of each kind: seen, open to these actions, in the bin, locked, of the user.

        Those that differ most come first: one that is seen and one that is hidden.
        """
        rights = [self.ids(model, action) for action in ("view", *actions)]
        found: dict[tuple[Any, ...], list[int]] = {}
        for row in self.world.rows(model):
            own = self.person.id in (row.get("owner_id"), row["id"] if model is User else None)
            state = (row.get("deleted_at") is None, row.get("locked_by_id") is None, row.get("pool_id"), own)
            found.setdefault((*(row["id"] in right for right in rights), *state), []).append(row["id"])
        firsts = [(kind[0], not kind[-1], ids[0]) for kind, ids in found.items()]
        seen, hidden = ([id for shown, _, id in sorted(firsts, key=str) if shown is way] for way in (True, False))
        return [id for pair in zip_longest(seen, hidden) for id in pair if id is not None]

    def secrets(self, canaries: Mapping[str, Canary]) -> frozenset[str]:
        """The canaries that the user may see nowhere."""
        seen: dict[tuple[type[Base], str], set[int]] = {}
        blind = [self.ids(Customer, action) for action in ("unlock", "restore", "purge")]
        hidden = []
        for text, (model, id, key) in canaries.items():
            if (model, key) not in seen:
                seen[model, key] = self.with_field(model, key)
            is_named_blindly = (model, key) == (Customer, "number") and any(id in right for right in blind)
            if id not in seen[model, key] and not is_named_blindly and not self._names_a_value(model, id, key):
                hidden.append(text)
        return frozenset(hidden)

    def _names_a_value(self, model: type[Base], id: int, key: str) -> bool:
        """Whether this is the name or help of a custom field whose values the user may see; its definition is another thing."""
        if model is not CustomField or key not in ("label_en", "label_zh", "help_en", "help_zh"):
            return False
        there = self.world.rows(CustomField, CustomField.id == id, CustomField.deleted_at.is_(None))
        return any(
            field["retired_at"] is None and self.ever("view", f"{field['for_module']}.custom.{field['key']}")
            for field in there
        )

    def deleted(self, model: type[Base]) -> set[int]:
        """The records that no list of choices offers: those in the bin, and users who have left."""
        rows = self.world.rows(model)
        return {row["id"] for row in rows if row.get("deleted_at") or row.get("active") is False}

    def _where(self, model: type[Base], clause: Any) -> set[int]:
        table = model.__table__
        with self.world.backend.writer.engine.connect() as connection:
            return set(connection.execute(select(table.c.id).where(clause)).scalars())
