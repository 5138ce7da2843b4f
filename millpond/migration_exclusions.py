"""Migration exclusions: Alembic's autogeneration ignores the search index, which no table definition describes.

Imported for its effect: it registers a comparator.
"""

from typing import Any

from alembic.autogenerate import comparators
from alembic.operations.ops import DropIndexOp, DropTableOp, ModifyTableOps, UpgradeOps
from alembic.util import DispatchPriority, PriorityDispatchResult

from models.search_rules import GIN, INDEX


@comparators.dispatch_for("autogenerate", priority=DispatchPriority.LAST)
def _leave_alone(_context: Any, steps: UpgradeOps) -> PriorityDispatchResult:
    for step in steps.ops:
        if isinstance(step, ModifyTableOps):
            step.ops = [part for part in step.ops if not _is_of_the_index(part)]
    steps.ops = [step for step in steps.ops if not (_is_of_the_index(step) or _is_empty(step))]
    return PriorityDispatchResult.CONTINUE


def _is_of_the_index(step: Any) -> bool:
    if isinstance(step, DropIndexOp):
        return step.index_name == GIN
    return isinstance(step, DropTableOp) and step.table_name.startswith(INDEX)  # FTS5 stores its rows in such tables


def _is_empty(step: Any) -> bool:
    return isinstance(step, ModifyTableOps) and not step.ops
