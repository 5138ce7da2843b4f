"""The tables of the first version."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.audit.entries import append_only_statements
from models.base import Money, Utc, long_text, text_type

revision: str = "2026_11_24_foundation"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "app_user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", text_type(40), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("absent_until", Utc(), nullable=True),
        sa.Column("email", text_type(200), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("language", text_type(8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.CheckConstraint("capacity IS NULL OR capacity >= 0", name=op.f("ck_app_user_capacity")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_app_user_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_app_user_deleted_by_id")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_app_user_department_id", use_alter=True),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_app_user_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
    )
    with op.batch_alter_table("app_user", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_app_user_delete_batch_id"), ["delete_batch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_app_user_department_id"), ["department_id"], unique=False)
        batch_op.create_index(
            "uq_app_user_login",
            ["login"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "audit_seal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("previous_hash", text_type(64), nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("last_id", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("hash", text_type(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_seal")),
    )
    op.create_table(
        "casbin_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ptype", text_type(8), nullable=False),
        sa.Column("v0", text_type(100), nullable=False),
        sa.Column("v1", text_type(100), nullable=False),
        sa.Column("v2", text_type(100), nullable=False),
        sa.Column("v3", text_type(100), nullable=False),
        sa.Column("v4", text_type(100), nullable=False),
        sa.Column("v5", text_type(100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_casbin_rule")),
        sa.UniqueConstraint(
            "ptype", "v0", "v1", "v2", "v3", "v4", "v5", name=op.f("uq_casbin_rule_ptype_v0_v1_v2_v3_v4_v5")
        ),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("topic", text_type(60), nullable=False),
        sa.Column("action", text_type(60), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_topic", ["topic", "id"], unique=False)

    op.create_table(
        "number_counter",
        sa.Column("for_module", text_type(40), nullable=False),
        sa.Column("period", text_type(60), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("for_module", "period", name=op.f("pk_number_counter")),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column("hint", text_type(20), nullable=False),
        sa.Column("token_hash", text_type(64), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=True),
        sa.Column("seen_at", Utc(), nullable=True),
        sa.Column("revoked_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_api_token_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_token_user_id"), ["user_id"], unique=False)

    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", text_type(200), nullable=False),
        sa.Column("behalf_id", sa.Integer(), nullable=True),
        sa.Column("door", text_type(20), nullable=False),
        sa.Column("request_id", text_type(40), nullable=False),
        sa.Column("batch_id", text_type(40), nullable=False),
        sa.Column("action", text_type(60), nullable=False),
        sa.Column("entity", text_type(40), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=True),
        sa.Column("label", text_type(200), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum("OK", "DENIED", name="outcome", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("reason", text_type(400), nullable=True),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("salt", text_type(32), nullable=False),
        sa.Column("values_hash", text_type(64), nullable=False),
        sa.Column("hash", text_type(64), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name=op.f("fk_audit_entry_actor_id")),
        sa.ForeignKeyConstraint(["behalf_id"], ["app_user.id"], name=op.f("fk_audit_entry_behalf_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entry_action", ["action", "at"], unique=False)
        batch_op.create_index("ix_audit_entry_actor", ["actor_id", "at"], unique=False)
        batch_op.create_index("ix_audit_entry_at", ["at", "id"], unique=False)
        batch_op.create_index("ix_audit_entry_batch", ["batch_id"], unique=False)
        batch_op.create_index("ix_audit_entry_record", ["entity", "record_id", "id"], unique=False)

    op.create_table(
        "credential",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("password_hash", text_type(200), nullable=False),
        sa.Column("changed_at", Utc(), nullable=False),
        sa.Column("one_time", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_credential_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_credential")),
    )
    op.create_table(
        "department",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("path", text_type(400), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.CheckConstraint("capacity IS NULL OR capacity >= 0", name=op.f("ck_department_capacity")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_department_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_department_deleted_by_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["department.id"], name=op.f("fk_department_parent_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_department_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_department")),
    )
    with op.batch_alter_table("department", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_department_delete_batch_id"), ["delete_batch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_department_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_department_path"), ["path"], unique=False)

    op.create_table(
        "dictionary",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", text_type(40), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column("name_zh", text_type(200), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_dictionary_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_dictionary_deleted_by_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_dictionary_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dictionary")),
    )
    with op.batch_alter_table("dictionary", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dictionary_delete_batch_id"), ["delete_batch_id"], unique=False)
        batch_op.create_index(
            "uq_dictionary_code",
            ["code"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "idempotency_key",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("key", text_type(100), nullable=False),
        sa.Column("action", text_type(40), nullable=False),
        sa.Column("fingerprint", text_type(64), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_idempotency_key_user_id")),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_idempotency_key")),
    )
    with op.batch_alter_table("idempotency_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_key_at"), ["at"], unique=False)

    op.create_table(
        "number_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("for_module", text_type(40), nullable=False),
        sa.Column("pattern", text_type(60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_number_rule_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_number_rule_deleted_by_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_number_rule_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_rule")),
    )
    with op.batch_alter_table("number_rule", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_number_rule_delete_batch_id"), ["delete_batch_id"], unique=False)
        batch_op.create_index(
            "uq_number_rule_module",
            ["for_module"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "organisation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column("time_zone", text_type(60), nullable=False),
        sa.Column("currency", text_type(3), nullable=False),
        sa.Column("language", text_type(8), nullable=False),
        sa.Column("support_contact", text_type(200), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("contact_required", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.CheckConstraint("capacity IS NULL OR capacity >= 0", name=op.f("ck_organisation_capacity")),
        sa.CheckConstraint("id = 1", name=op.f("ck_organisation_only_one")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_organisation_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_organisation_deleted_by_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_organisation_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
    )
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_organisation_delete_batch_id"), ["delete_batch_id"], unique=False)

    op.create_table(
        "owner_load",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.CheckConstraint("held >= 0", name=op.f("ck_owner_load_held")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_owner_load_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_owner_load")),
    )
    op.create_table(
        "policy_revision",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("reason", long_text(), nullable=False),
        sa.Column("text", long_text(), nullable=False),
        sa.Column("hash", text_type(64), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["app_user.id"], name=op.f("fk_policy_revision_author_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_policy_revision")),
    )
    op.create_table(
        "pool",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column("description", long_text(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("retain_days", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.CheckConstraint("retain_days IS NULL OR retain_days > 0", name=op.f("ck_pool_retain_days")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_pool_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_pool_deleted_by_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_pool_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool")),
    )
    with op.batch_alter_table("pool", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pool_delete_batch_id"), ["delete_batch_id"], unique=False)
        batch_op.create_index(
            "uq_pool_name",
            ["name"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", text_type(40), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column("name_zh", text_type(200), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_role_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_role_deleted_by_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_role_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role")),
    )
    with op.batch_alter_table("role", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_role_delete_batch_id"), ["delete_batch_id"], unique=False)
        batch_op.create_index(
            "uq_role_code",
            ["code"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("login", text_type(40), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("address", text_type(60), nullable=True),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_sign_in_attempt_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
    )
    with op.batch_alter_table("sign_in_attempt", schema=None) as batch_op:
        batch_op.create_index("ix_sign_in_attempt_address", ["address", "at"], unique=False)
        batch_op.create_index("ix_sign_in_attempt_login", ["login", "at"], unique=False)

    op.create_table(
        "sign_in_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", text_type(64), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("seen_at", Utc(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.Column("address", text_type(60), nullable=True),
        sa.Column("agent", text_type(200), nullable=True),
        sa.Column("revoked_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_sign_in_session_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_session_token_hash")),
    )
    with op.batch_alter_table("sign_in_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_session_user_id"), ["user_id"], unique=False)

    op.create_table(
        "tombstone",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("for_module", text_type(40), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("number", text_type(40), nullable=True),
        sa.Column("purged_at", Utc(), nullable=False),
        sa.Column("purged_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["purged_by_id"], ["app_user.id"], name=op.f("fk_tombstone_purged_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tombstone")),
    )
    with op.batch_alter_table("tombstone", schema=None) as batch_op:
        batch_op.create_index("uq_tombstone_number", ["for_module", "number"], unique=True)

    op.create_table(
        "claim_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("daily_quota", sa.Integer(), nullable=True),
        sa.Column("weekly_quota", sa.Integer(), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("cooldown_days", sa.Integer(), nullable=True),
        sa.Column("protect_days", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.CheckConstraint("capacity IS NULL OR capacity >= 0", name=op.f("ck_claim_rule_capacity")),
        sa.CheckConstraint("cooldown_days IS NULL OR cooldown_days >= 0", name=op.f("ck_claim_rule_cooldown_days")),
        sa.CheckConstraint("daily_quota IS NULL OR daily_quota >= 0", name=op.f("ck_claim_rule_daily_quota")),
        sa.CheckConstraint("protect_days IS NULL OR protect_days >= 0", name=op.f("ck_claim_rule_protect_days")),
        sa.CheckConstraint("weekly_quota IS NULL OR weekly_quota >= 0", name=op.f("ck_claim_rule_weekly_quota")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_claim_rule_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_claim_rule_deleted_by_id")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_claim_rule_pool_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_claim_rule_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_rule")),
    )
    with op.batch_alter_table("claim_rule", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_claim_rule_delete_batch_id"), ["delete_batch_id"], unique=False)
        batch_op.create_index(
            "uq_claim_rule_live",
            ["pool_id"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "customer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", text_type(40), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column("stage", text_type(40), nullable=True),
        sa.Column("industry", text_type(40), nullable=True),
        sa.Column("source", text_type(40), nullable=True),
        sa.Column("region", text_type(40), nullable=True),
        sa.Column("level", text_type(40), nullable=True),
        sa.Column("category", text_type(40), nullable=True),
        sa.Column("phone", text_type(40), nullable=True),
        sa.Column("email", text_type(200), nullable=True),
        sa.Column("address", text_type(400), nullable=True),
        sa.Column("latest_need", long_text(), nullable=True),
        sa.Column("remark", long_text(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("pool_id", sa.Integer(), nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("pooled_at", Utc(), nullable=True),
        sa.Column("claimed_at", Utc(), nullable=True),
        sa.Column("locked_by_id", sa.Integer(), nullable=True),
        sa.Column("locked_at", Utc(), nullable=True),
        sa.Column("lock_reason", text_type(200), nullable=True),
        sa.Column("lock_expires_at", Utc(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.CheckConstraint("(owner_id IS NULL) <> (pool_id IS NULL)", name=op.f("ck_customer_owner_xor_pool")),
        sa.CheckConstraint("locked_by_id IS NULL OR owner_id IS NOT NULL", name=op.f("ck_customer_lock_needs_owner")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_customer_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_customer_deleted_by_id")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_customer_department_id")),
        sa.ForeignKeyConstraint(["locked_by_id"], ["app_user.id"], name=op.f("fk_customer_locked_by_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_customer_owner_id")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_customer_pool_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_customer_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("number", name=op.f("uq_customer_number")),
    )
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_delete_batch_id"), ["delete_batch_id"], unique=False)
        batch_op.create_index(
            "ix_customer_department",
            ["department_id", "created_at", "id"],
            unique=False,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(
            "ix_customer_live",
            ["created_at", "id"],
            unique=False,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(
            "ix_customer_locked",
            ["locked_by_id"],
            unique=False,
            sqlite_where=sa.text("locked_by_id IS NOT NULL"),
            postgresql_where=sa.text("locked_by_id IS NOT NULL"),
        )
        batch_op.create_index("ix_customer_name", ["name"], unique=False)
        batch_op.create_index(
            "ix_customer_owner",
            ["owner_id", "created_at", "id"],
            unique=False,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(
            "ix_customer_pool",
            ["pool_id", "pooled_at", "id"],
            unique=False,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(
            "ix_customer_updated",
            ["updated_at", "id"],
            unique=False,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "dictionary_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dictionary_id", sa.Integer(), nullable=False),
        sa.Column("key", text_type(40), nullable=False),
        sa.Column("label_en", text_type(200), nullable=False),
        sa.Column("label_zh", text_type(200), nullable=True),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("archived_at", Utc(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_dictionary_item_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_dictionary_item_deleted_by_id")),
        sa.ForeignKeyConstraint(["dictionary_id"], ["dictionary.id"], name=op.f("fk_dictionary_item_dictionary_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["dictionary_item.id"], name=op.f("fk_dictionary_item_parent_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_dictionary_item_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dictionary_item")),
    )
    with op.batch_alter_table("dictionary_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dictionary_item_delete_batch_id"), ["delete_batch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dictionary_item_dictionary_id"), ["dictionary_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dictionary_item_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(
            "uq_dictionary_item_key",
            ["dictionary_id", "key"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "pool_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column(
            "grantee_kind",
            sa.Enum(
                "USER", "DEPARTMENT", "ROLE", name="grantee_kind", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("grantee_id", sa.Integer(), nullable=False),
        sa.Column(
            "seat",
            sa.Enum("VIEWER", "MEMBER", "ADMIN", name="seat", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_pool_member_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_pool_member_deleted_by_id")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_pool_member_pool_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_pool_member_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_member")),
    )
    with op.batch_alter_table("pool_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pool_member_delete_batch_id"), ["delete_batch_id"], unique=False)
        batch_op.create_index("ix_pool_member_grantee", ["grantee_kind", "grantee_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_pool_member_pool_id"), ["pool_id"], unique=False)
        batch_op.create_index(
            "uq_pool_member_live",
            ["pool_id", "grantee_kind", "grantee_id"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "quota_counter",
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("period", text_type(12), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_quota_counter_used")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_quota_counter_pool_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_quota_counter_user_id")),
        sa.PrimaryKeyConstraint("pool_id", "user_id", "period", name=op.f("pk_quota_counter")),
    )
    op.create_table(
        "user_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", Utc(), nullable=True),
        sa.Column("ends_at", Utc(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.CheckConstraint(
            "starts_at IS NULL OR ends_at IS NULL OR starts_at < ends_at", name=op.f("ck_user_role_period")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_user_role_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_user_role_deleted_by_id")),
        sa.ForeignKeyConstraint(["role_id"], ["role.id"], name=op.f("fk_user_role_role_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_user_role_updated_by_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_user_role_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_role")),
    )
    with op.batch_alter_table("user_role", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_role_delete_batch_id"), ["delete_batch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_user_role_role_id"), ["role_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_user_role_user_id"), ["user_id"], unique=False)
        batch_op.create_index(
            "uq_user_role_live",
            ["user_id", "role_id"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "contact",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column("title", text_type(200), nullable=True),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("do_not_contact", sa.Boolean(), nullable=False),
        sa.Column("birthday", sa.Date(), nullable=True),
        sa.Column("remark", long_text(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_contact_created_by_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_contact_customer_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_contact_deleted_by_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_contact_owner_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_contact_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index("ix_contact_customer", ["customer_id", "created_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contact_delete_batch_id"), ["delete_batch_id"], unique=False)
        batch_op.create_index("ix_contact_live", ["created_at", "id"], unique=False)
        batch_op.create_index("ix_contact_name", ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_contact_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(
            "uq_contact_primary",
            ["customer_id"],
            unique=True,
            sqlite_where=sa.text("is_primary AND deleted_at IS NULL"),
            postgresql_where=sa.text("is_primary AND deleted_at IS NULL"),
        )

    op.create_table(
        "ownership_period",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=True),
        sa.Column(
            "began",
            sa.Enum(
                "CREATE",
                "CLAIM",
                "ASSIGN",
                "TRANSFER",
                "RESTORE",
                "IMPORT",
                name="began",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column(
            "ended",
            sa.Enum(
                "RELEASE", "TRANSFER", "DELETE", name="ended", native_enum=False, create_constraint=True, length=20
            ),
            nullable=True,
        ),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("reason", text_type(200), nullable=True),
        sa.CheckConstraint("(ended IS NULL) = (ended_at IS NULL)", name=op.f("ck_ownership_period_ended_whole")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_ownership_period_customer_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_ownership_period_owner_id")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_ownership_period_pool_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ownership_period")),
    )
    with op.batch_alter_table("ownership_period", schema=None) as batch_op:
        batch_op.create_index("ix_ownership_period_customer", ["customer_id", "ended_at"], unique=False)
        batch_op.create_index("ix_ownership_period_owner", ["owner_id", "customer_id", "ended_at"], unique=False)
        batch_op.create_index(
            "uq_ownership_period_open",
            ["customer_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "share",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column(
            "grantee_kind",
            sa.Enum(
                "USER", "DEPARTMENT", "ROLE", name="grantee_kind", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("grantee_id", sa.Integer(), nullable=False),
        sa.Column(
            "level",
            sa.Enum("VIEW", "EDIT", name="share_level", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("starts_at", Utc(), nullable=False),
        sa.Column("ends_at", Utc(), nullable=True),
        sa.Column("revoked_at", Utc(), nullable=True),
        sa.Column("granted_by_id", sa.Integer(), nullable=True),
        sa.Column("note", text_type(200), nullable=True),
        sa.CheckConstraint("ends_at IS NULL OR starts_at < ends_at", name=op.f("ck_share_period")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_share_customer_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["granted_by_id"], ["app_user.id"], name=op.f("fk_share_granted_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share")),
    )
    with op.batch_alter_table("share", schema=None) as batch_op:
        batch_op.create_index("ix_share_customer", ["customer_id"], unique=False)
        batch_op.create_index("ix_share_grantee", ["grantee_kind", "grantee_id", "customer_id"], unique=False)

    op.create_table(
        "contact_point",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "PHONE",
                "EMAIL",
                "WECHAT",
                "OTHER",
                name="point_kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("value", text_type(200), nullable=False),
        sa.Column("value_key", text_type(200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("value <> ''", name=op.f("ck_contact_point_value")),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_contact_point_contact_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_point")),
    )
    with op.batch_alter_table("contact_point", schema=None) as batch_op:
        batch_op.create_index("ix_contact_point_contact", ["contact_id", "position"], unique=False)
        batch_op.create_index(batch_op.f("ix_contact_point_value_key"), ["value_key"], unique=False)

    op.create_table(
        "opportunity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column("amount", Money(), nullable=True),
        sa.Column("currency", text_type(3), nullable=False),
        sa.Column("stage", text_type(40), nullable=True),
        sa.Column("expected_close", sa.Date(), nullable=True),
        sa.Column("remark", long_text(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_opportunity_contact_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_opportunity_created_by_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_opportunity_customer_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_opportunity_deleted_by_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_opportunity_owner_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_opportunity_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opportunity")),
    )
    with op.batch_alter_table("opportunity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_opportunity_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index("ix_opportunity_customer", ["customer_id", "created_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_opportunity_delete_batch_id"), ["delete_batch_id"], unique=False)
        batch_op.create_index("ix_opportunity_live", ["created_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_opportunity_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "follow_up",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("opportunity_id", sa.Integer(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "CALL",
                "VISIT",
                "EMAIL",
                "WECHAT",
                "MEETING",
                "NOTE",
                name="follow_up_kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("content", long_text(), nullable=False),
        sa.Column("happened_at", Utc(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_follow_up_contact_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_follow_up_created_by_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_follow_up_customer_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_follow_up_deleted_by_id")),
        sa.ForeignKeyConstraint(["opportunity_id"], ["opportunity.id"], name=op.f("fk_follow_up_opportunity_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_follow_up_owner_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_follow_up_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
    )
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_follow_up_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index("ix_follow_up_customer", ["customer_id", "happened_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_follow_up_delete_batch_id"), ["delete_batch_id"], unique=False)
        batch_op.create_index("ix_follow_up_happened", ["happened_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_follow_up_opportunity_id"), ["opportunity_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_follow_up_owner_id"), ["owner_id"], unique=False)

    if op.get_context().dialect.name == "postgresql":  # SQLite has it in the table already
        op.create_foreign_key("fk_app_user_department_id", "app_user", "department", ["department_id"], ["id"])
    for line in append_only_statements(op.get_context().dialect.name):
        op.execute(line)


def downgrade() -> None:
    """There is nothing before the foundation: go back by restoring a backup."""
    raise NotImplementedError
