"""Values of custom fields that have got another kind, converted beside the requests."""

from sqlalchemy.orm import Session

from resolvers.jobs.kinds import Progress, Work
from resolvers.records.custom_writing import convert_next
from resolvers.runtime.scope import Scope

from . import job


@job("customfield.edit", en="Conversion of a custom field", zh="转换自定义字段的值")
def convert_custom_field(scope: Scope, db: Session, work: Work) -> Progress:
    """Write the next records whose value is still one of the former kind."""
    done, more = convert_next(scope, db, work.arguments["id"], work.size)
    return Progress(work.position + done, done=done, more=more)
