"""Log configuration: one line per event with the request id and without secrets, for structlog and `logging` alike."""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_SECRET_FIELD = re.compile(r"passw|token|authori[sz]ation|cookie|secret|credential", re.IGNORECASE)
_SECRET_TEXT = re.compile(r"(?i:\b(bearer|basic)\s+)[\w.~+/=-]+|\bmp_\w{8,}")
HIDDEN = "[hidden]"
_QUIET = ("uvicorn.access", "httpx", "httpcore", "aiosqlite", "asyncio")
"""Loggers that log warnings and errors only, because the request middleware logs every request already."""


def set_up(level: str = "info", form: Literal["json", "console"] = "json") -> None:
    """Send every log event of this process to stderr, in one form.  May be called again."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_common(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_common(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendered(form),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("uvicorn"):
            logging.getLogger(name).handlers.clear()
            logging.getLogger(name).propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _common() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _rendered(form: str) -> list[Processor]:
    if form == "console":
        colours = sys.stderr.isatty()
        plain = structlog.dev.plain_traceback
        return [hide, structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain)]
    return [
        structlog.processors.format_exc_info,
        hide,
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    ]


def hide(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The event with secrets replaced, at any depth: by the name of their field, or by their form (`mp_…`)."""
    return {key: _hidden(key, value) for key, value in event.items()}


def _hidden(name: object, value: Any) -> Any:
    if isinstance(name, str) and _SECRET_FIELD.search(name):
        return HIDDEN
    if isinstance(value, str):
        return _SECRET_TEXT.sub(HIDDEN, value)
    if isinstance(value, Mapping):
        return {key: _hidden(key, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and not hasattr(value, "_fields"):
        return [_hidden(None, inner) for inner in value]
    return value
