"""What administrators decide about duplicates: what each kind of evidence counts for."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import LIVE, Entity, Word, choice, trait
from .duplicates import Evidence, Verdict
from .names import Names


class DuplicateRule(Entity):
    """What one kind of evidence counts for among customers or among contacts."""

    __tablename__ = "duplicate_rule"
    module, prefix, named_by, order = "duplicate_rule", "dup", "evidence", "id"
    names = Names("Duplicate rule", "Duplicate rules", zh="查重规则")
    search = ()

    for_module: Mapped[Word] = mapped_column(info=trait(immutable=True))
    """`customer` or `contact`."""
    evidence: Mapped[Evidence] = choice(Evidence, info=trait(immutable=True))
    """What two records have in common."""
    verdict: Mapped[Verdict] = choice(Verdict)
    """What follows for a new record: nothing, a warning, or a refusal."""

    __table_args__ = (Index("uq_duplicate_rule", "for_module", "evidence", unique=True, **LIVE),)
