"""Merges of words that many records hold, and their undoing, chunk after chunk."""

from sqlalchemy.orm import Session

from resolvers.jobs.kinds import Progress, Work
from resolvers.merging import word_merge, word_unmerge
from resolvers.runtime.scope import Scope

from . import job


@job("dictionary.edit", en="Merge of words", zh="合并词条")
def merge_words(scope: Scope, db: Session, work: Work) -> Progress:
    """Let the next records follow a merge of words."""
    return word_merge.go_on(scope, db, work)


@job("dictionary.edit", en="Undoing of a merge of words", zh="撤销词条合并")
def unmerge_words(scope: Scope, db: Session, work: Work) -> Progress:
    """Take back the next records of a merge of words."""
    return word_unmerge.go_on(scope, db, work)
