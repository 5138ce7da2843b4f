"""Files of records: to add uploads to a record, to remove files and to bring them back."""

import strawberry

from models import Attachment, Upload
from models.errors import Refusal
from resolvers.files import attachments as use_cases
from resolvers.runtime.ids import number_of

from ..contract import DonePayload, GraphQLInfo, done, mutation
from ..problems import Problem, problems_of
from ..queries.attachments import AttachedFile, shown


@strawberry.input(description="Uploads, as `POST /files` has answered them, and the record that keeps them.")
class AddFilesInput:
    record: strawberry.ID
    """A customer, contact, opportunity or follow-up."""
    uploads: list[strawberry.ID]
    """What `POST /files` has answered, one id for each file."""


@strawberry.input(description="Files of records.")
class FilesInput:
    ids: list[strawberry.ID]
    """The files."""


@strawberry.type(description="The files of the record as they are now, and what was refused.")
class AddFilesPayload:
    files: list[AttachedFile] = strawberry.field(default_factory=list)
    """All files of the record, the newest first."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("user.files")
async def add_files(info: GraphQLInfo, input: AddFilesInput) -> AddFilesPayload:
    """Keep uploads with a record, all or none.  Asks for the right `edit` on the record.  A file is taken where its bytes are what its name says, and where its kind is allowed."""
    scope = info.context.scope
    try:
        model, id = use_cases.record_of(input.record)
        await scope.run(use_cases.add, model, id, [number_of(Upload, each) for each in input.uploads])
    except Refusal as refusal:
        return AddFilesPayload(problems=problems_of([refusal], scope.language))
    found = await scope.read(use_cases.files_of, model, id)
    return AddFilesPayload(files=[shown(each) for each in found])


@mutation("user.files")
async def remove_files(info: GraphQLInfo, input: FilesInput) -> DonePayload:
    """Remove files, all or none.  Asks for the right `edit` on their records.  For 30 days `restoreFiles` brings them back."""
    return await done(info.context.scope, use_cases.remove, [number_of(Attachment, each) for each in input.ids])


@mutation("user.files")
async def restore_files(info: GraphQLInfo, input: FilesInput) -> DonePayload:
    """Bring removed files back, all or none.  Asks for the right `edit` on their records."""
    return await done(info.context.scope, use_cases.restore, [number_of(Attachment, each) for each in input.ids])
