"""Who may do what to which records: Casbin lines turned into decisions.

One question, four answers from the same cell: `may` (this record), `where` (which records), `guarded` (which values)
and `explain` (why).  Words live in `words.py`, each with its three faces.
"""

from pathlib import Path

from .cells import Cell as Cell
from .lines import InvalidPolicy as InvalidPolicy
from .lines import Line as Line
from .lines import parse as parse
from .lines import validate as validate
from .principal import NOW as NOW
from .principal import Principal as Principal
from .principal import system as system
from .principal import whenever as whenever
from .snapshot import Reason as Reason
from .snapshot import Snapshot as Snapshot
from .words import Facts as Facts

STARTER: str = (Path(__file__).parent / "starter.csv").read_text(encoding="utf-8")
"""The policy text of a new installation."""
