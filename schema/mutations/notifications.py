"""Notifications: mark them as read, choose how to be told."""

import strawberry

from models import Notice
from models.errors import Refusal
from models.notice import MailChoice
from resolvers.notices import choices, inbox
from resolvers.runtime.ids import number_of

from ..contract import DonePayload, GraphQLInfo, done, mutation
from ..problems import Problem, problems_of
from ..queries.notifications import MailChoiceType, NotificationChoices, read_choices
from ..types.enums import NotificationKindType


@strawberry.input(description="Which notifications you have read; all of them without ids.")
class MarkNotificationsReadInput:
    ids: list[strawberry.ID] | None = None


@strawberry.input(description="How you want to be told of one kind of thing.")
class NotificationChoiceInput:
    kind: NotificationKindType
    """The kind of notification, by its code."""
    in_panel: bool
    """Whether it is shown in the panel and in `notifications`."""
    mail: MailChoiceType
    """Whether and when it is sent by e-mail."""


@strawberry.input(description="What you choose; other kinds stay as they are.")
class NotificationChoicesInput:
    kinds: list[NotificationChoiceInput] = strawberry.field(default_factory=list)
    """Choices for some kinds; those of others stay."""
    digest_hour: int | None = None
    """The hour of the daily e-mail, 0 to 23, in the time zone of the organisation."""


@strawberry.type(description="How you want to be told now, and what was refused.")
class NotificationChoicesPayload:
    choices: NotificationChoices
    """The choices as they stand."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("user.preferences")
async def mark_notifications_read(info: GraphQLInfo, input: MarkNotificationsReadInput) -> DonePayload:
    """Mark what you were told as read. Ids of others' notifications change nothing."""
    ids = [number_of(Notice, id) for id in input.ids] if input.ids is not None else None
    return await done(info.context.scope, inbox.mark_read, ids)


@mutation("user.preferences")
async def set_notification_choices(info: GraphQLInfo, input: NotificationChoicesInput) -> NotificationChoicesPayload:
    """Choose how you want to be told, by kind."""
    scope, problems = info.context.scope, []
    chosen = {str(each.kind.value): (each.in_panel, MailChoice(each.mail.value)) for each in input.kinds}
    try:
        await scope.run(choices.choose, chosen, input.digest_hour)
    except Refusal as refusal:
        problems += problems_of([refusal], scope.language)
    return NotificationChoicesPayload(choices=await read_choices(scope), problems=problems)
