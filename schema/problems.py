"""Problems: refusals as data of a payload, each with its place in the input and a sentence in the caller's language."""

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import strawberry
from strawberry.scalars import JSON
from strawberry.types import Info

from models.audit.entries import plain
from models.errors import REFUSALS, Refusal
from resolvers.access.explain import refusal_in_words
from resolvers.runtime.ids import camel, parts_of

ProblemCode: Any = enum.Enum("ProblemCode", {code: code for code in REFUSALS}, module=__name__)  # type: ignore[misc]  # from the refusals
strawberry.enum(ProblemCode, description="Why something was not done; one code for each refusal of the business.")

_UNSAID = frozenset({"reason", "reason_zh", "name", "name_zh"})
"""Parameters of sentences that say nothing which the sentence does not say."""
_OF_A_SENTENCE = frozenset({"VALIDATION", "RULE_MISSING", "REQUIRED", "TOO_LONG", "TOO_SHORT", "TOO_MANY"})
_OF_A_VALUE = frozenset({"OUT_OF_RANGE", "NOT_IN_LIST", "FORMAT"})
_SPELLED = {"roles": "roleIds", "people": "userIds"}
"""What refusals call inputs that are spelled in another way."""
CUSTOM = "custom"


@strawberry.type(description="One thing that was not done, and why.")
class Problem:
    code: ProblemCode
    message: str = strawberry.field(description="The sentence for the user, in their language.")
    field: str | None = strawberry.field(
        description="The input to blame.", deprecation_reason="`path` says it exactly as the input spells it."
    )
    path: list[str] | None = strawberry.field(
        description='Where in `input` the value stands, or is missing: `["points", "1", "value"]`, positions in lists from'
        " 0. Null where no input is at fault."
    )
    record_id: strawberry.ID | None = strawberry.field(
        description="The record that was not changed. Of several, an id that is none is repeated as it was sent."
    )
    params: JSON | None = strawberry.field(
        description="Facts of the sentence: `max`, `min`, `example`; `choices` and `likely` as labels in the caller's language."
    )
    refusal: strawberry.Private[Refusal]

    @strawberry.field(
        description="Where the policy refused: what would have to be true for one of its lines to allow it."
    )  # type: ignore[untyped-decorator]  # Strawberry's overloads
    async def explanation(self, info: Info[Any, None]) -> str | None:
        if not self.refusal.denies or "action" not in self.refusal.params or self.record_id is None:
            return None
        action = str(self.refusal.params["action"])
        said: str | None = await info.context.scope.read(refusal_in_words, action, self.record_id)
        return said

    @classmethod
    def of(cls, refusal: Refusal, language: str) -> "Problem":
        """One refusal, without those that it carries."""
        params = params_of(refusal, language)
        return cls(
            code=ProblemCode[refusal.code()],
            message=refusal.say(language),
            field=refusal.field,
            path=refusal.path,
            record_id=strawberry.ID(refusal.record_id) if refusal.record_id else None,
            params=JSON(params) if params else None,
            refusal=refusal,
        )


def problems_of(refusals: Iterable[Refusal], language: str) -> list[Problem]:
    """The refusals and those that they carry, in their order."""
    return [Problem.of(each, language) for refusal in refusals for each in refusal.all]


def params_of(refusal: Refusal, language: str) -> dict[str, Any] | None:
    """The facts of a refusal by their GraphQL names, with labels in one language; None where there are none."""
    return dict(_params(refusal, language)) or None


def _params(refusal: Refusal, language: str) -> Iterator[tuple[str, Any]]:
    """The parameters by their GraphQL names, with labels in one language."""
    is_chinese, all_of_it = language.startswith("zh"), refusal.params
    is_said = refusal.code() in _OF_A_SENTENCE | _OF_A_VALUE
    for name, value in all_of_it.items():
        if name.endswith(("_en", "_zh")) or (is_said and name in _UNSAID):
            continue
        chosen = all_of_it.get(f"{name}_zh", value) if is_chinese and isinstance(value, list) else value
        yield camel(name), plain(chosen)


# --- places ----------------------------------------------------------------------------------------------


def placed(problems: Sequence[Problem], given: Mapping[str, Any]) -> None:
    """Make the path of each problem one that exists in the arguments of the mutation; without one it is null."""
    input = given.get("input")
    for problem in problems:
        if problem.record_id is not None:
            _name_broken_id(problem, input)
        problem.path = _path(problem.path, input) or _path_of_record(problem, input)


def _name_broken_id(problem: Problem, input: Any) -> None:
    """Repeat an id that is none as it was sent: `batches.numbers_of` has counted its place below zero."""
    _, _, digits = str(problem.record_id).partition("_")
    if digits.startswith("-") and isinstance(ids := getattr(input, "ids", None), list):
        problem.record_id = ids[-int(digits) - 1]


def _path(path: Sequence[str] | None, input: Any) -> list[str] | None:
    if not path or input is None:
        return None
    if path[0] == CUSTOM and len(path) > 1:
        return _of_custom(path[1], input)
    names = {camel(field.name): getattr(input, field.name) for field in fields(input)}
    head = _head(path[0], names)
    if head is not None:
        return [head, *_below(path[1:], names[head])]
    for name, value in names.items():  # `set` of a bulk change holds the inputs themselves
        if is_dataclass(value) and (inner := _path(path, value)):
            return [name, *inner]
    return None


def _below(path: Sequence[str], value: Any) -> list[str]:
    """As much of the rest of a path as there is in a value, and the name of an input that is missing there."""
    if not path:
        return []
    head, *rest = path
    if isinstance(value, list):
        at = int(head) if head.isdecimal() else len(value)
        return [head, *_below(rest, value[at])] if at < len(value) else []
    if is_dataclass(value):
        names = {camel(field.name): getattr(value, field.name) for field in fields(value)}
        found = _head(head, names)
        return [found, *_below(rest, names[found])] if found is not None else []
    return []


def _head(name: str, names: Mapping[str, Any]) -> str | None:
    """What an input calls the field that a refusal names; None where it has no such field."""
    spelled = (name, _SPELLED.get(name, name), f"{name}Id", name.removesuffix("Id"))
    return next((each for each in spelled if each in names), None)


def _of_custom(key: str, input: Any) -> list[str] | None:
    """The place of a custom field: its item, and the value in it that was given; the list, where it has no item."""
    if not hasattr(input, CUSTOM):
        for field in fields(input):
            value = getattr(input, field.name)
            if is_dataclass(value) and (inner := _of_custom(key, value)):
                return [camel(field.name), *inner]
        return None
    for place, item in enumerate(getattr(input, CUSTOM) or ()):
        if item.key == key:
            names = [x.name for x in fields(item) if x.name != "key"]
            value = [camel(name) for name in names if getattr(item, name) is not strawberry.UNSET]
            return [CUSTOM, str(place), *value[:1]]
    return [CUSTOM]


def _path_of_record(problem: Problem, input: Any) -> list[str] | None:
    """The place of the record in a list of ids."""
    for name in ("ids", "user_ids"):
        ids = getattr(input, name, None)
        if isinstance(ids, list) and problem.record_id in ids and parts_of(problem.record_id):
            return [camel(name), str(ids.index(problem.record_id))]
    return None
