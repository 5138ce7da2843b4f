"""Seals that a key signs; who guessed a password from where; browsers that users have signed in with."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_11_29_trust"
down_revision: str | None = "2026_11_29_follow_up_days"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("audit_seal", sa.Column("key_id", text_type(16), nullable=True))
    op.add_column("credential", sa.Column("unlocked_at", Utc(), nullable=True))
    op.add_column("sign_in_attempt", sa.Column("source", text_type(64), nullable=True))
    op.add_column("sign_in_session", sa.Column("browser_hash", text_type(64), nullable=True))
    op.create_index("ix_sign_in_session_browser_hash", "sign_in_session", ["browser_hash"])


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
