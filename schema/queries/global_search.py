"""The query `globalSearch`: one text looked for in every kind of record, grouped and ranked, with counts."""

import strawberry

from models.errors import Validation
from resolvers.reading import global_search as searching
from resolvers.runtime.ids import global_id

from ..closed_lists import entity_of
from ..contract import GraphQLInfo, Pointer, Siblings, query
from ..types.enums import EntityNameType
from ..types.namespace import Node


@strawberry.type(description="A record that was found: its title, and what tells it apart, in your language.")
class SearchHit:
    record_id: strawberry.ID
    """The global id of the record."""
    title: str
    """What the record is called."""
    subtitle: str
    """What tells it from others of that name, as far as you may see it."""
    is_exact: bool = strawberry.field(description="Whether the text is its whole number or name.")
    node: Pointer = strawberry.field(graphql_type=Node | None)
    """The record itself, for more of its fields."""


@strawberry.type(description="What was found of one kind of record, the best first.")
class SearchGroup:
    entity: EntityNameType = strawberry.field(description="The type of the records.")
    count: int = strawberry.field(description="How many were found, counted up to 1,000.")
    is_capped: bool = strawberry.field(
        description="Whether their list may hold more than `count`: of a word in very many records the newest are looked through."
    )
    hits: list[SearchHit]
    """The best hits of this kind, the best first."""


@query("system.node")
async def global_search(info: GraphQLInfo, text: str, first: int = searching.USUAL) -> list[SearchGroup]:
    """What the text finds in every kind of record that you may see: the `first` best of each kind, and their number."""
    if not 1 <= first <= searching.MOST:
        raise Validation(f"first is 1 to {searching.MOST}.", f"first 须为 1 至 {searching.MOST}。", field="first")
    return [_group(group) for group in await searching.global_search(info.context.scope, text, first)]


def _group(group: searching.Group) -> SearchGroup:
    siblings = Siblings(group.model, [hit.id for hit in group.hits])
    hits = [_hit(hit, siblings) for hit in group.hits]
    return SearchGroup(entity=entity_of(group.model), count=group.count, is_capped=group.is_capped, hits=hits)


def _hit(hit: searching.Hit, siblings: Siblings) -> SearchHit:
    return SearchHit(
        record_id=strawberry.ID(global_id(hit.model, hit.id)),
        title=hit.title,
        subtitle=hit.subtitle,
        is_exact=hit.is_exact,
        node=Pointer(hit.model, hit.id, siblings),
    )
