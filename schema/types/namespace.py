"""The namespace in which Strawberry resolves the names of GraphQL types, as in `Optional[Customer]`.

`make.new_type` adds the derived types; the types that all of them use are written here by hand.
"""

import enum
from datetime import datetime
from typing import Optional

import strawberry

List, ID = list, strawberry.ID

__all__ = ["ID", "Direction", "List", "Node", "Optional", "PageInfo", "datetime"]


@strawberry.interface(description="Anything with an id.")
class Node:
    id: strawberry.ID


@strawberry.type(description="Where a page begins and ends, and whether there is more.")
class PageInfo:
    has_next_page: bool
    """Whether rows follow behind the last one of the page."""
    has_previous_page: bool
    """Whether rows stand in front of the first one of the page."""
    start_cursor: str | None
    """The cursor of the first row, for `before`; null on an empty page."""
    end_cursor: str | None
    """The cursor of the last row, for `after`; null on an empty page."""


@strawberry.enum(description="From the smallest or from the largest.")
class Direction(enum.Enum):
    ASC = "ASC"
    """Smallest, earliest or first in the alphabet first."""
    DESC = "DESC"
    """Largest, latest or last in the alphabet first."""
