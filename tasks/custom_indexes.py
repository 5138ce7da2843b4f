"""Indexes of searchable custom fields, made and dropped beside the requests."""

from sqlalchemy.orm import Session

from resolvers.jobs.kinds import Progress, Work
from resolvers.records import custom_indexes
from resolvers.records.custom_indexes import Wanted
from resolvers.runtime.scope import Scope

from . import job


def _prepared(scope: Scope, work: Work) -> Wanted | None:
    return custom_indexes.prepare(scope, work.arguments["id"])


@job("customfield.edit", en="Index of a custom field", zh="创建自定义字段索引", ready=_prepared)
def index_custom_field(scope: Scope, db: Session, work: Work) -> Progress:
    """Make the index of a field, or drop the one that is not wanted any more, and note that it is there."""
    is_done = custom_indexes.finish(scope, db, work.arguments["id"], work.prepared)
    return Progress(0, done=int(is_done), more=False)
