"""The query `sensitiveReads`: who saw whose phone or e-mail."""

from datetime import datetime

import strawberry

from models import Contact, Customer, User
from resolvers.personal import reads
from resolvers.personal.reads import Read
from resolvers.runtime.ids import global_id, number_of

from ..contract import GraphQLInfo, query


@strawberry.type(
    description="A user has seen phones or e-mail addresses: of a record, noted once a day, or of all in a file."
)
class SensitiveRead:
    at: datetime
    """When the user saw it first on that day."""
    reader: str | None
    """The name of the user."""
    door: str
    """Where they saw it: on a page of the panel (`panel`), or in a file (`export`)."""
    record: strawberry.ID | None
    """The id of the customer or contact; null for a file."""
    count: int
    """Number of records: 1 for a page, the rows of a file."""


@query("audit.view")
async def sensitive_reads(
    info: GraphQLInfo,
    record: strawberry.ID | None = None,
    reader: strawberry.ID | None = None,
    until: datetime | None = None,
    first: int = 50,
) -> list[SensitiveRead]:
    """Who saw whose phone or e-mail on a page of the panel or in an export, the newest first, for who may read the whole log."""
    scope, model = info.context.scope, Contact if record and number_of(Contact, record) else Customer
    about = {"entity": model.__tablename__, "record_id": number_of(model, record)} if record is not None else {}
    await scope.backend.sensitive_reads.flush()
    number = number_of(User, reader) if reader is not None else None
    found = await scope.read(reads.sensitive_reads, **about, reader_id=number, until=until, first=first)
    return [_shown(each) for each in found]


def _shown(read: Read) -> SensitiveRead:
    model = Contact if read.row.entity == Contact.__tablename__ else Customer
    return SensitiveRead(
        at=read.row.at,
        reader=read.reader,
        door=read.row.door,
        record=strawberry.ID(global_id(model, read.row.record_id)) if read.row.record_id is not None else None,
        count=read.row.count,
    )
