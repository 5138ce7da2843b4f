"""Pipelines with their stages, the times that records spent in stages, and what opportunities keep of a stage."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_11_30_pipelines"
down_revision: str | None = "2026_11_30_bulk_change"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "customer_stage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stage", text_type(40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("required_fields", sa.JSON(), nullable=False),
        sa.Column("next_stages", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_customer_stage_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_customer_stage_deleted_by_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_customer_stage_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_stage")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_customer_stage_delete_batch_id"), "customer_stage", ["delete_batch_id"], unique=False)
    op.create_index(
        "uq_customer_stage_live",
        "customer_stage",
        ["stage"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "pipeline",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column("name_zh", text_type(200), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.Column("name_key", text_type(1000), server_default=sa.text("('')"), nullable=False),
        sa.Column("name_zh_key", text_type(1000), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_pipeline_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_pipeline_deleted_by_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_pipeline_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipeline")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_pipeline_delete_batch_id"), "pipeline", ["delete_batch_id"], unique=False)
    op.create_index(
        "ix_pipeline_name_key",
        "pipeline",
        ["name_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "pipeline_stage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pipeline_id", sa.Integer(), nullable=False),
        sa.Column("stage", text_type(40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "OPEN",
                "ON_HOLD",
                "WON",
                "LOST",
                name="stage_kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("probability", sa.Integer(), nullable=False),
        sa.Column("stale_days", sa.Integer(), nullable=True),
        sa.Column("required_fields", sa.JSON(), nullable=False),
        sa.Column("next_stages", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.CheckConstraint("probability BETWEEN 0 AND 100", name=op.f("ck_pipeline_stage_probability")),
        sa.CheckConstraint("stale_days IS NULL OR stale_days > 0", name=op.f("ck_pipeline_stage_stale_days")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_pipeline_stage_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_pipeline_stage_deleted_by_id")),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipeline.id"], name=op.f("fk_pipeline_stage_pipeline_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_pipeline_stage_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipeline_stage")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_pipeline_stage_delete_batch_id"), "pipeline_stage", ["delete_batch_id"], unique=False)
    op.create_index(op.f("ix_pipeline_stage_pipeline_id"), "pipeline_stage", ["pipeline_id"], unique=False)
    op.create_index(
        "uq_pipeline_stage_live",
        "pipeline_stage",
        ["pipeline_id", "stage"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "customer_stage_period",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("stage", text_type(40), nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["app_user.id"], name=op.f("fk_customer_stage_period_by_id")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_stage_period_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_stage_period")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_customer_stage_period_record", "customer_stage_period", ["customer_id", "id"], unique=False)
    op.create_index(
        "uq_customer_stage_period_open",
        "customer_stage_period",
        ["customer_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "opportunity_stage_period",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("opportunity_id", sa.Integer(), nullable=False),
        sa.Column("stage", text_type(40), nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["app_user.id"], name=op.f("fk_opportunity_stage_period_by_id")),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["opportunity.id"],
            name=op.f("fk_opportunity_stage_period_opportunity_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opportunity_stage_period")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_opportunity_stage_period_record", "opportunity_stage_period", ["opportunity_id", "id"], unique=False
    )
    op.create_index(
        "uq_opportunity_stage_period_open",
        "opportunity_stage_period",
        ["opportunity_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.add_column(
        "opportunity",
        sa.Column(
            "pipeline_id", sa.Integer(), sa.ForeignKey("pipeline.id", name="fk_opportunity_pipeline_id"), nullable=True
        ),
        inline_references=True,
    )
    op.add_column(
        "opportunity",
        sa.Column(
            "state",
            sa.String(20),
            sa.CheckConstraint("state IN ('OPEN', 'ON_HOLD', 'WON', 'LOST')", name=op.f("ck_opportunity_stage_kind")),
            nullable=False,
            server_default="OPEN",
        ),
    )
    op.add_column("opportunity", sa.Column("stale_at", Utc(), nullable=True))
    op.add_column(
        "opportunity",
        sa.Column(
            "probability",
            sa.Integer(),
            sa.CheckConstraint(
                "probability IS NULL OR probability BETWEEN 0 AND 100", name=op.f("ck_opportunity_probability")
            ),
            nullable=True,
        ),
    )
    op.add_column("opportunity", sa.Column("closed_on", sa.Date(), nullable=True))
    op.add_column("opportunity", sa.Column("lost_reason", text_type(40), nullable=True))
    _fill()
    op.create_index(
        "ix_opportunity_board",
        "opportunity",
        ["pipeline_id", "stage", "stage_changed_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_opportunity_stale",
        "opportunity",
        ["stale_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL AND stale_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NULL AND stale_at IS NOT NULL"),
    )


def _fill() -> None:
    """What is known of the rows that are there; the installation puts opportunities into the pipeline that it makes."""
    of_day = "substr(stage_changed_at, 1, 10)" if op.get_bind().dialect.name == "sqlite" else "stage_changed_at::date"
    for stage in ("won", "lost"):
        op.execute(
            f"UPDATE opportunity SET state = '{stage.upper()}', closed_on = {of_day}"  # noqa: S608  no values from outside
            f" WHERE stage = '{stage}'"
        )
    for entity, since in (("customer", "created_at"), ("opportunity", "coalesce(stage_changed_at, created_at)")):
        _fill_periods(entity, since)


def _fill_periods(entity: str, since: str) -> None:
    """The stages that the log tells of, and for a record of whose stage it does not tell the present one."""
    connection = op.get_bind()
    key = f"{entity}_id"
    record, log, periods = (
        sa.table(entity, *map(sa.column, ("id", "stage"))),
        sa.table("audit_entry", *map(sa.column, ("id", "entity", "record_id", "actor_id", "outcome"))),
        sa.table(
            f"{entity}_stage_period",
            *map(sa.column, (key, "stage", "by_id")),
            sa.column("started_at", Utc()),
            sa.column("ended_at", Utc()),
        ),
    )
    begun = sa.literal_column(since, Utc()).label("since")
    present = {id: (stage, at) for id, stage, at in connection.execute(sa.select(record.c.id, record.c.stage, begun))}
    at, changes = sa.literal_column("at", Utc()).label("at"), sa.literal_column("changes", sa.JSON()).label("changes")
    told = sa.select(log.c.record_id, log.c.actor_id, at, changes)
    told = told.where(log.c.entity == entity, log.c.outcome == "OK", sa.text("CAST(changes AS TEXT) LIKE '%stage%'"))
    found: dict[int, list[dict[str, object]]] = {}
    for id, by, when, changed in connection.execute(told.order_by(log.c.id)):
        if id in present and "stage" in (changed or {}):
            _step(found.setdefault(id, []), key, id, changed["stage"][-1], when, by)
    for id, (stage, when) in present.items():
        mine = found.get(id, [])
        if (mine[-1]["stage"] if mine and mine[-1]["ended_at"] is None else None) != stage:
            _step(found.setdefault(id, []), key, id, stage, max([when, *(x["started_at"] for x in mine)]), None)
    rows = [row for mine in found.values() for row in mine]
    for start in range(0, len(rows), 1_000):
        connection.execute(sa.insert(periods), rows[start : start + 1_000])


def _step(mine: list[dict[str, object]], key: str, id: int, stage: object, at: object, by: object) -> None:
    if mine and mine[-1]["ended_at"] is None:
        mine[-1]["ended_at"] = at
    if stage is not None:
        mine.append({key: id, "stage": stage, "started_at": at, "ended_at": None, "by_id": by})


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
