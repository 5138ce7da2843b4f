"""Dictionaries: merge two words, and undo it."""

import strawberry

from models import DictionaryItem, WordMerge
from models.errors import Refusal
from resolvers.merging.word_merge import merge_words
from resolvers.merging.word_unmerge import past_word_merge, unmerge_words
from resolvers.runtime.batch import Outcome
from resolvers.runtime.idempotency import run_once
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ..contract import GraphQLInfo, Pointer, mutation
from ..problems import Problem, problems_of
from ..types.make import record_of


@strawberry.input(description="Two words of one dictionary: the one that stays, and the one that becomes part of it.")
class MergeDictionaryItemsInput:
    winner_id: strawberry.ID
    """The word that stays."""
    loser_id: strawberry.ID
    """The word that becomes part of it."""
    reason: str | None = None
    idempotency_key: str | None = None


@strawberry.input(description="A merge of words by its id.")
class UnmergeDictionaryItemsInput:
    merge_id: strawberry.ID
    """The merge, as `mergeDictionaryItems` has named it."""
    reason: str | None = None
    idempotency_key: str | None = None


@strawberry.type(
    description="The word that stays, and how many values hold it in place of the other one so far. "
    "While `isUnderWay`, a job goes on with the rest."
)
class MergeDictionaryItemsPayload:
    merge_id: strawberry.ID | None = None
    """The merge, for `unmergeDictionaryItems`."""
    moved: int = 0
    """Number of records that hold the other word now."""
    is_under_way: bool = False
    """Whether a job still changes the rest."""
    dictionary_item: Pointer | None = strawberry.field(default=None, graphql_type=record_of(DictionaryItem))
    """The word that stays; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@strawberry.type(
    description="The word that is offered again, and in sentences what stays as it is because it was changed since. "
    "While `isUnderWay`, a job goes on with the rest."
)
class UnmergeDictionaryItemsPayload:
    kept: list[str] = strawberry.field(default_factory=list)
    """What was changed since and so keeps the other word, in words."""
    is_under_way: bool = False
    """Whether a job still changes the rest."""
    dictionary_item: Pointer | None = strawberry.field(default=None, graphql_type=record_of(DictionaryItem))
    """The word that had stayed; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("dictionary.edit")
async def merge_dictionary_items(info: GraphQLInfo, input: MergeDictionaryItemsInput) -> MergeDictionaryItemsPayload:
    """Make a word part of another one: records, aliases, conditions and views follow; `unmergeDictionaryItems` undoes it."""
    scope = info.context.scope
    winner, loser = (number_of(DictionaryItem, id) for id in (input.winner_id, input.loser_id))

    def call(scope: Scope) -> Outcome:
        return Outcome([merge_words(scope, winner, loser, input.reason)])

    given = {"winner": winner, "loser": loser, "reason": input.reason}
    try:
        outcome = await scope.run(run_once, input.idempotency_key, info.field_name, given, call)
    except Refusal as refusal:
        return MergeDictionaryItemsPayload(problems=problems_of([refusal], scope.language))
    found = await scope.read(past_word_merge, outcome.ids[0])
    return MergeDictionaryItemsPayload(
        merge_id=strawberry.ID(global_id(WordMerge, outcome.ids[0])),
        moved=found.moved if found else 0,
        is_under_way=bool(found and found.is_busy),
        dictionary_item=Pointer(DictionaryItem, winner),
    )


@mutation("dictionary.edit")
async def unmerge_dictionary_items(
    info: GraphQLInfo, input: UnmergeDictionaryItemsInput
) -> UnmergeDictionaryItemsPayload:
    """Undo a merge of words: what still is as it left it goes back, the rest is named in `kept`."""
    scope, merge_id = info.context.scope, number_of(WordMerge, input.merge_id)

    def call(scope: Scope) -> Outcome:
        return Outcome([unmerge_words(scope, merge_id, input.reason)])

    given = {"merge": merge_id, "reason": input.reason}
    try:
        outcome = await scope.run(run_once, input.idempotency_key, info.field_name, given, call)
    except Refusal as refusal:
        return UnmergeDictionaryItemsPayload(problems=problems_of([refusal], scope.language))
    found = await scope.read(past_word_merge, outcome.ids[0])
    if found is None:
        return UnmergeDictionaryItemsPayload()
    return UnmergeDictionaryItemsPayload(
        kept=[note.say(scope.language) for note in found.kept],
        is_under_way=found.is_busy,
        dictionary_item=Pointer(DictionaryItem, found.loser_id),
    )
