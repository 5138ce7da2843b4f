"""What a condition means, evaluated in Python over plain rows: the independent model of the condition language.

A row is a dictionary by column key; what the viewer may not see was taken out before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

Row = Mapping[str, Any]


@dataclass
class Sight:
    """What one viewer sees: the rows of each table, and who and when they are."""

    tables: dict[str, list[Row]]
    me: int
    team: set[int]
    now: datetime
    zone: str

    def holds(self, table: str, row: Row, condition: Mapping[str, Any]) -> bool:
        return all(self._part(table, row, name, wanted) for name, wanted in condition.items())

    def _part(self, table: str, row: Row, name: str, wanted: Any) -> bool:
        if name == "and":
            return all(self.holds(table, row, x) for x in wanted)
        if name == "or":
            return any(self.holds(table, row, x) for x in wanted)
        if name == "not":
            return not self.holds(table, row, wanted)
        if name in CHILDREN:
            children = [x for x in self.tables[CHILDREN[name]] if x["customer_id"] == row["id"] and not x["deleted_at"]]
            return all(
                any(self.holds(CHILDREN[name], x, inner) for x in children) is (how == "some")
                for how, inner in wanted.items()
            )
        if name in PARENTS:
            key, above = PARENTS[name]
            found = [x for x in self.tables[above] if x["id"] == row[key]]
            return all(
                any(self.holds(above, x, inner) for x in found) is (how == "is") for how, inner in wanted.items()
            )
        return all(self._compared(row, name, operator, x) for operator, x in wanted.items())

    def _compared(self, row: Row, name: str, operator: str, operand: Any) -> bool:
        value = row[KEYS[name]]
        value = value.value if isinstance(value, Enum) else value
        if operator == "isNull":
            return (value is None) is operand
        if operator == "during":
            return self._during(value, operand)
        if name.endswith("Id") and operator in ("eq", "ne", "in"):
            given = operand if isinstance(operand, list) else [operand]
            is_one = value is not None and any(self._is_id(name, value, x) for x in given)
            return is_one is (operator != "ne")
        if operator == "ne":
            return bool(value != operand)
        if value is None:
            return False
        return bool(_COMPARED[operator](value, operand))

    def _is_id(self, name: str, value: int, text: str) -> bool:
        if text == "me":
            return value == self.me
        if text == "my-team":
            teams = {x["id"] for x in self.tables["app_user"] if x["department_id"] in self.team}
            return value in (self.team if name == "departmentId" else teams)
        return str(value) == text.partition("_")[2]

    def _during(self, value: Any, text: str) -> bool:
        if text == "never":
            return value is None
        if value is None:
            return False
        today = self.now.astimezone(ZoneInfo(self.zone)).date()
        day = (
            value
            if not isinstance(value, datetime)
            else value.replace(tzinfo=value.tzinfo or UTC).astimezone(ZoneInfo(self.zone)).date()
        )
        away = (day - today).days
        match text.split():
            case ["today"]:
                return away == 0
            case ["last", number, "days"]:
                return -int(number) <= away <= 0
            case ["next", number, "days"]:
                return 0 <= away <= int(number)
            case ["more", "than", number, "days", "ago"]:
                return away < -int(number)
            case ["this", "month"]:
                return (day.year, day.month) == (today.year, today.month)
            case ["last", "week"]:
                monday = today - timedelta(days=today.isoweekday() - 1)
                return monday - timedelta(days=7) <= day < monday
            case ["from", first]:
                return day >= date.fromisoformat(first)
        raise AssertionError(text)


_COMPARED: dict[str, Any] = {
    "eq": lambda a, b: a == b,
    "in": lambda a, b: a in b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "contains": lambda a, b: b.lower() in a.lower(),
    "startsWith": lambda a, b: a.lower().startswith(b.lower()),
}
CHILDREN = {"followUps": "follow_up", "opportunities": "opportunity", "contacts": "contact"}
PARENTS = {"customer": ("customer_id", "customer"), "owner": ("owner_id", "app_user")}
KEYS = {
    "name": "name",
    "stage": "stage",
    "phone": "phone",
    "ownerId": "owner_id",
    "poolId": "pool_id",
    "departmentId": "department_id",
    "createdAt": "created_at",
    "claimedAt": "claimed_at",
    "happenedAt": "happened_at",
    "kind": "kind",
    "amount": "amount",
    "expectedClose": "expected_close",
    "isPrimary": "is_primary",
    "birthday": "birthday",
    "login": "login",
}
