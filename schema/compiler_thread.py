"""The compiler thread: documents are parsed and statements are built there, one at a time.

The event loop goes on answering meanwhile.  One thread is enough, because more of them would only share the interpreter
and delay the event loop by five milliseconds each.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_COMPILER = ThreadPoolExecutor(1, thread_name_prefix="compiler")


async def off_the_loop(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of `work` on the compiler thread, in the context of the caller."""
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(_COMPILER, lambda: context.run(work, *args, **kwargs))
