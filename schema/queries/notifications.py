"""The queries `notifications` and `notificationChoices`: what the caller was told, and how they want to be told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from models import Notice
from models.notice import MailChoice
from models.notice_kinds import NOTICE_KINDS
from resolvers.notices import choices, inbox
from resolvers.notices.sentences import Told
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ..closed_lists import NotificationKind
from ..contract import GraphQLInfo, query
from ..nodes import node
from ..types.make import enum_of
from ..types.namespace import Node

NotificationKindType: Any = enum_of(NotificationKind)
MailChoiceType: Any = enum_of(MailChoice)


@strawberry.type(description="Something that you were told. Records that you do not see now are not named.")
class Notification(Node):
    id: strawberry.ID
    kind: NotificationKindType
    """The kind of notification, by its code."""
    title: str = strawberry.field(description="What happened, in your language.")
    text: str
    """What happened, as a sentence in your language, without what you may not see now."""
    record_id: strawberry.ID | None = strawberry.field(description="The record it is about, if you see it.")
    at: datetime
    """When it happened."""
    read_at: datetime | None
    """When you marked it as read; null before that."""


@strawberry.type(description="Whether there are older ones, and the cursor behind which they begin.")
class NotificationPageInfo:
    has_next_page: bool
    """Whether older ones follow."""
    end_cursor: str | None
    """The id of the last one, for `before`; null on an empty page."""


@strawberry.type(description="A page of what you were told.")
class NotificationConnection:
    nodes: list[Notification]
    page_info: NotificationPageInfo

    @strawberry.field(description="How many you have not read, on all pages, counted up to 101.")  # type: ignore[untyped-decorator]  # Strawberry's overloads
    async def unread_count(self, info: GraphQLInfo) -> int:
        return await info.context.scope.read(inbox.unread_count)


@strawberry.input(description="Which notifications.")
class NotificationFilter:
    unread: bool = strawberry.field(default=False, description="Only those that you have not read.")


@strawberry.type(description="How you want to be told of one kind of thing.")
class NotificationChoice:
    kind: NotificationKindType
    """The kind of notification, by its code."""
    group: str = strawberry.field(description="Under which heading it stands, in your language.")
    name: str = strawberry.field(description="What it is about, in your language.")
    in_panel: bool
    """Whether it is shown in the panel and in `notifications`."""
    mail: MailChoiceType
    """Whether and when it is sent by e-mail."""


@strawberry.type(description="How you want to be told.")
class NotificationChoices:
    kinds: list[NotificationChoice]
    """One choice for each kind of notification."""
    digest_hour: int = strawberry.field(description="The hour of the daily e-mail, in the organisation's time zone.")


@query("user.preferences")
async def notifications(
    info: GraphQLInfo, filter: NotificationFilter | None = None, first: int = 50, after: str | None = None
) -> NotificationConnection | None:
    """What you were told, the newest first."""
    scope, size = info.context.scope, max(0, min(first, inbox.LARGEST_PAGE - 1))
    before = number_of(Notice, after) if after is not None else None
    unread = filter is not None and filter.unread
    found = await scope.read(inbox.notices, unread=unread, before=before, first=size + 1)
    nodes = [shown(told) for told in found[:size]]
    return NotificationConnection(
        nodes=nodes,
        page_info=NotificationPageInfo(
            has_next_page=len(found) > size, end_cursor=str(nodes[-1].id) if nodes else None
        ),
    )


@query("user.preferences")
async def notification_choices(info: GraphQLInfo) -> NotificationChoices:
    """How you want to be told, for every kind of notification."""
    return await read_choices(info.context.scope)


@node(Notice)
async def _nodes(scope: Scope, ids: Sequence[int]) -> dict[int, Notification]:
    found = await scope.read(inbox.notices, ids=ids, first=len(ids))
    return {told.id: shown(told) for told in found}


async def read_choices(scope: Scope) -> NotificationChoices:
    found, is_chinese = await scope.read(choices.choices), scope.language.startswith("zh")
    kinds = [
        NotificationChoice(
            kind=NotificationKind(kind.key),
            group=kind.group.zh if is_chinese else kind.group.one,
            name=kind.label.zh if is_chinese else kind.label.one,
            in_panel=in_panel,
            mail=mail,
        )
        for kind, (in_panel, mail) in ((kind, found.of[kind]) for kind in NOTICE_KINDS.values())
    ]
    return NotificationChoices(kinds=kinds, digest_hour=found.digest_hour)


def shown(told: Told) -> Notification:
    return Notification(
        id=strawberry.ID(global_id(Notice, told.id)),
        kind=NotificationKind(told.kind.key),
        title=told.title,
        text=told.text,
        record_id=strawberry.ID(global_id(*told.record)) if told.record else None,
        at=told.at,
        read_at=told.read_at,
    )
