"""What a scope needs of its process; `Backend` provides it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session

from models import Base
from models.database.reads import Reads
from policies import Snapshot

from .as_of_now import InForce
from .budgets import Budgets
from .file_store import FileStore
from .policy_store import Stored
from .principals import Entrances
from .selectivity import SelectivityCache
from .sensitive_reads import SensitiveReads
from .writer import Writer


class Services(Protocol):
    """The engines, the clock, the writer and the policy in force of one process."""

    url: str
    dialect: str
    files: FileStore
    import_limits: dict[str, Any]
    file_limits: dict[str, Any]
    sensitive_reads: SensitiveReads
    budgets: Budgets
    entrances: Entrances
    clock: Callable[[], datetime]
    writer: Writer
    read_engine: AsyncEngine
    reads: Reads
    sessions: async_sessionmaker[AsyncSession]
    policy: Snapshot
    selectivity: SelectivityCache

    def follow_policy(self, connection: Connection, in_force: InForce | None = None) -> Snapshot:
        """Return the newest policy and custom fields that the transaction of this connection can see."""
        ...

    def policy_problems_in(self, language: str) -> list[str]:
        """Return why the newest revision is not in force, in a language; nothing when it is."""
        ...

    def take_policy(self, stored: Stored) -> None:
        """Put a stored revision in force, unless it cannot be a policy."""
        ...

    def may_see(self, db: Session, user_id: int, model: type[Base], id: int) -> bool:
        """Return whether another user may view a record."""
        ...

    async def stop_reading(self) -> None:
        """Close the connections that read."""
        ...
