"""CPU time of an action, judged so that no busy machine fails a test.

Seconds say as much about the machine as about the action: a virtual machine counts the time that its host takes away,
the first request compiles statements, and the collector visits all that a test process has built.  So an action that
seems slow is repeated beside a fixed piece of work, and is slow only if it is slow each time.
"""

import gc
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

REPEATED = 3
"""Number of times that an action is repeated before it counts as slow."""
UNSUSPECTED = 0.3
"""CPU seconds that need no yardstick."""
TURNS = 200
"""Maximum CPU time of a quick action, as a multiple of the fixed piece of work; an explosion takes thousands."""


def quickly(action: Callable[[], T]) -> T:
    """The result of an action on this thread.  Fails if it is slow, and each time that it is repeated."""
    began = time.thread_time()
    result = action()
    if time.thread_time() - began > UNSUSPECTED:
        _refute(action)
    return result


def _refute(action: Callable[[], object]) -> None:
    took: list[float] = []
    while not took or took[-1] > TURNS:
        assert len(took) < REPEATED, f"slow each time: {', '.join(f'{turns:.0f}' for turns in took)} turns"
        gc.collect()  # so that the collector has nothing to do meanwhile
        before, seconds, after = _turn(), _seconds(action), _turn()
        took.append(seconds / max(before, after))


def _turn() -> float:
    """The CPU seconds of the fixed piece of work, 5 ms on an idle machine."""
    return _seconds(lambda: sum(step & 7 for step in range(100_000)))


def _seconds(action: Callable[[], object]) -> float:
    began = time.thread_time()
    action()
    return time.thread_time() - began
