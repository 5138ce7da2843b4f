"""Search docs of the records that hold a custom field, written anew beside the requests."""

from sqlalchemy.orm import Session

from resolvers.jobs.kinds import Progress, Work
from resolvers.records.custom_docs import renew_next
from resolvers.runtime.scope import Scope

from . import job


# It follows a change that its maker had the right to make, and changes no record.
@job("job.view", en="Search in a custom field", zh="更新自定义字段的搜索")
def renew_search_docs(_scope: Scope, db: Session, work: Work) -> Progress:
    """Write the docs of the next records that hold a value of the field."""
    ids = renew_next(db, work.arguments["module"], work.arguments["key"], work.position, work.size)
    return Progress(ids[-1] if ids else work.position, done=len(ids), more=len(ids) == work.size)
