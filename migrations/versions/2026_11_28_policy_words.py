"""Drafts of the system, and the modules and actions whose starter lines an installation has."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type, utcnow

revision: str = "2026_11_28_policy_words"
down_revision: str | None = "2026_11_28_policy_proof"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MODULES = (
    "audit contact customer department dictionary followup number opportunity organisation policy pool role session "
    "system user"
)
ACTIONS = (
    "view create edit delete restore purge export import transfer release claim assign lock unlock share dupcheck review "
    "activate merge bulk approve handover view_as"
)
"""What every installation had before it could be offered anything."""


def upgrade() -> None:
    words = op.create_table(
        "policy_word",
        sa.Column("word", text_type(60), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_policy_word")),
    )
    now = utcnow()
    known = [*MODULES.split(), *(f".{action}" for action in ACTIONS.split())]
    op.bulk_insert(words, [{"word": word, "at": now} for word in known])
    # SQLite copies the table, which has neither checks nor triggers.
    with op.batch_alter_table("policy_draft") as table:
        table.alter_column("author_id", existing_type=sa.Integer(), nullable=True)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
