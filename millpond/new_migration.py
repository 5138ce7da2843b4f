"""`make migration NAME=…`: writes the migration from the last one to the models, in our form.

A fresh SQLite database is migrated and compared with the models.  What is written runs on both databases: new tables, new
columns, indexes.  Everything else changes rows that are there, and is refused with a sentence: such a step is written by
hand.
"""

import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import render_python_code
from alembic.migration import MigrationContext
from alembic.operations import ops
from sqlalchemy import JSON, Column, Connection, Engine, Enum, ForeignKey, String, Text

from models import Base
from models.base import Money, Utc, json_type
from models.database.engines import writing_engine

from .migrate import SCRIPTS, migrate, revisions
from .migration_steps import CannotWrite, check_name, default_of_rows, steps_to

LONGEST_REVISION = 32
"""What the column of the database's revision holds."""
_IMPORTS = "from models.base import Money, Utc, json_type, long_text, text_type"
_FORM = '''"""{about}"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
{imports}

revision: str = "{revision}"
down_revision: str | None = "{before}"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
{steps}


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
'''


def write_migration(name: str, folder: Path = SCRIPTS / "versions") -> Path:
    """Write the migration of this name, dated today.  Raises CannotWrite, and then writes nothing."""
    revision = f"{datetime.now(UTC):%Y_%m_%d}_{name}"
    path = folder / f"{revision}.py"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or len(revision) > LONGEST_REVISION or path.exists():
        most = LONGEST_REVISION - len("2026_11_24_")
        raise CannotWrite(
            f"The name of a migration has at most {most} small letters, figures and _, and is new on its day; not “{name}”."
        )
    with tempfile.TemporaryDirectory() as scratch:
        engine = writing_engine(f"sqlite:///{scratch}/fresh.db")
        try:
            path.write_text(_formatted(_text(engine, revision)), encoding="utf-8")
        finally:
            engine.dispose()
    return path


def _text(engine: Engine, revision: str) -> str:
    migrate(engine)
    with engine.begin() as connection:
        steps = steps_to(connection, Base.metadata)
        if not steps:
            raise CannotWrite("The migrations lead to the models as they are; there is nothing to write.")
        return text_of(steps, connection, revision, revisions()[0])


# --- writing ---------------------------------------------------------------------------------------------


def text_of(steps: list[ops.MigrateOperation], connection: Connection, revision: str, before: str) -> str:
    """The source of a migration, not yet formatted."""
    lines = [line for step in steps for line in _rendered(step, connection)]
    return _FORM.format(
        about=_about(steps),
        imports=_IMPORTS,
        revision=revision,
        before=before,
        steps="\n".join(f"    {x}" for x in lines),
    )


def _rendered(step: Any, connection: Connection) -> list[str]:
    if isinstance(step, ops.AddColumnOp):
        return [_add_column(step.table_name, step.column)]
    context = MigrationContext.configure(connection)
    text = render_python_code(ops.UpgradeOps([step]), render_item=render_item, migration_context=context)
    return [line.removeprefix("    ") for line in text.splitlines() if not line.strip().startswith("# ###")]


def render_item(kind: str, item: Any, _context: Any = None) -> str | Literal[False]:
    """Write our own column types by their names, so that a migration reads like the models."""
    if kind == "type" and isinstance(item, JSON) and item.none_as_null:
        return f"{json_type.__name__}()"
    if kind != "type" or not isinstance(item, Utc | Money | String) or isinstance(item, Enum):
        return False
    if isinstance(item, Utc | Money):
        return f"{type(item).__name__}()"
    return "long_text()" if isinstance(item, Text) else f"text_type({item.length})"


def _add_column(table: str, column: Column[Any]) -> str:
    """A column of a table with rows.  SQLite adds references and checks with the column or not at all."""
    kind = column.type
    parts = [f'"{column.name}"', f"sa.String({kind.length})" if isinstance(kind, Enum) else _type(kind)]
    parts += [_reference(key) for key in column.foreign_keys]
    if isinstance(kind, Enum):
        members = ", ".join(f"'{member}'" for member in kind.enums)
        parts.append(f'sa.CheckConstraint("{column.name} IN ({members})", name=op.f("{check_name(table, column)}"))')
    parts.append(f"nullable={column.nullable}")
    if not column.nullable:
        parts.append(f"server_default={default_of_rows(column)}")
    more = ", inline_references=True" if column.foreign_keys else ""
    return f'op.add_column("{table}", sa.Column({", ".join(parts)}){more})'


def _type(kind: Any) -> str:
    return str(render_item("type", kind) or f"sa.{kind!r}")


def _reference(key: ForeignKey) -> str:
    ends = f', ondelete="{key.ondelete}"' if key.ondelete else ""
    return (
        f'sa.ForeignKey("{key.target_fullname}", name="{key.constraint.name}"{ends})'
        if key.constraint is not None
        else ""
    )


def _about(steps: list[ops.MigrateOperation]) -> str:
    tables = [step.table_name for step in steps if isinstance(step, ops.CreateTableOp)]
    added = [f"{step.table_name}.{step.column.name}" for step in steps if isinstance(step, ops.AddColumnOp)]
    indexes = [
        str(step.index_name) for step in steps if isinstance(step, ops.CreateIndexOp) and step.table_name not in tables
    ]
    gone = [str(step.index_name) for step in steps if isinstance(step, ops.DropIndexOp)]
    said = {"the table": tables, "the column": added, "the index": indexes, "no more the index": gone}
    text = "; ".join(
        f"{_many(what) if len(names) > 1 else what} {', '.join(names)}" for what, names in said.items() if names
    )
    return f"{text[:1].upper()}{text[1:]}."


def _many(what: str) -> str:
    return what.replace("index", "indexes") if "index" in what else f"{what}s"


def _formatted(source: str) -> str:
    """The source as `ruff` writes it, without imports that nothing uses."""
    for words in (("check", "--fix", "--quiet", "--select", "F401,I"), ("format", "--quiet")):
        command = [sys.executable, "-m", "ruff", *words, "--stdin-filename", "migrations/versions/new.py", "-"]
        done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)  # noqa: S603  ruff on our own text
        if done.returncode:
            raise CannotWrite(f"ruff does not take it: {done.stderr.strip() or source}")
        source = done.stdout
    return source


def main() -> None:
    try:
        path = write_migration(sys.argv[1] if len(sys.argv) > 1 else "")
    except CannotWrite as failure:
        sys.exit("\n".join(f"millpond: {line}" for line in str(failure).splitlines()))
    sys.stdout.write(f"{path.relative_to(SCRIPTS.parent)}\n")


if __name__ == "__main__":
    main()
