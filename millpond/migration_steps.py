"""What a database lacks of the models, step by step, as far as a migration can be written without looking at rows."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from alembic.autogenerate import produce_migrations
from alembic.migration import MigrationContext
from alembic.operations import ops
from sqlalchemy import Boolean, CheckConstraint, Column, Connection, MetaData, inspect


class CannotWrite(Exception):
    """The migration has to be written by hand, or there is none to write.  The sentences say why."""


def steps_to(connection: Connection, models: MetaData) -> list[ops.MigrateOperation]:
    """What is missing in a database.  Raises CannotWrite for what is no new table, column or index."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    found = produce_migrations(context, models).upgrade_ops
    steps = list(_single(found.ops if found else ()))
    new = {step.column.name for step in steps if isinstance(step, ops.AddColumnOp)}
    wrong = [problem for step in steps if (problem := _by_hand(step, new))]
    added = {step.table_name for step in steps if isinstance(step, ops.CreateTableOp)}
    wrong += [
        x for x in differing_checks(connection, models) if x.partition(".")[0] not in added and not _is_new(x, steps)
    ]
    if wrong:
        raise CannotWrite("\n".join(f"Write this step by hand: {problem}." for problem in wrong))
    return [step for step in steps if not isinstance(step, ops.CreateForeignKeyOp)]


def _single(steps: Iterable[ops.MigrateOperation]) -> Iterator[ops.MigrateOperation]:
    """The steps one by one, out of the groups for each table."""
    for step in steps:
        if isinstance(step, ops.ModifyTableOps):
            yield from step.ops
        else:
            yield step


def _by_hand(step: Any, new: set[str]) -> str | None:
    """What a step changes that only a person can write; None for a step that is written here."""
    if isinstance(step, ops.CreateTableOp | ops.CreateIndexOp | ops.DropIndexOp):
        return None
    if isinstance(step, ops.CreateForeignKeyOp) and set(step.local_cols) <= new:
        return None  # goes with its column
    if isinstance(step, ops.AddColumnOp):
        column = step.column
        if not column.nullable and default_of_rows(column) is None:
            return f"{step.table_name}.{column.name} is needed and has no default for the rows that are there"
        return None
    where = ".".join(str(part) for name in ("table_name", "column_name") if (part := getattr(step, name, None)))
    return f"{type(step).__name__.removesuffix('Op')} of {where or getattr(step, 'source_table', '?')}"


def differing_checks(connection: Connection, models: MetaData) -> list[str]:
    """Checks that the database and the models do not share, which Alembic never compares: `customer.ck_customer_…`.

    Of a choice its members count.
    """
    there = inspect(connection)
    names = {name for name in there.get_table_names() if name in models.tables}
    found = {(t, str(x["name"])): _quoted(x["sqltext"]) for t in names for x in there.get_check_constraints(t)}
    meant = {
        (t, str(check.name)): _quoted(str(check.sqltext.compile(compile_kwargs={"literal_binds": True})))
        for t in names
        for check in models.tables[t].constraints
        if isinstance(check, CheckConstraint)
    }
    return sorted(
        f"{t}.{name}" for t, name in found.keys() | meant.keys() if found.get((t, name)) != meant.get((t, name))
    )


def _quoted(sql: str) -> frozenset[str]:
    return frozenset(re.findall(r"'([^']*)'", sql))


def _is_new(check: str, steps: Iterable[ops.MigrateOperation]) -> bool:
    """Whether a check comes with a column that is added."""
    return any(
        isinstance(x, ops.AddColumnOp) and check == f"{x.table_name}.{check_name(x.table_name, x.column)}"
        for x in steps
    )


def check_name(table: str, column: Column[Any]) -> str:
    return f"ck_{table}_{getattr(column.type, 'name', column.name)}"


def default_of_rows(column: Column[Any]) -> str | None:
    """The value that rows get which are there already: the default of the model, where that is one value."""
    default: Any = column.default
    if default is None and column.server_default is not None:
        stored: Any = column.server_default
        return repr(str(stored.arg).strip("'"))
    if default is None or not default.is_scalar:
        return None
    if isinstance(column.type, Boolean):
        return "sa.true()" if default.arg else "sa.false()"
    return repr(str(getattr(default.arg, "value", default.arg)))
