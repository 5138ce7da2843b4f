"""Alembic's entry: runs the migrations on the connection that `millpond.migrate` hands over.

New ones are written by `make migration NAME=…`, see `millpond/new_migration.py`.
"""

from alembic import context

from models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
