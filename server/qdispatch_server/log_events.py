"""Log events: key=value on stderr, one line each, bound once per process and once per call.

Nothing that identifies a patient, a driver or a place is ever a value here.
"""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import EventDict, WrappedLogger

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logging(level: str, **bound: object) -> None:
    """Sets up structlog for this process; `bound` (such as worker=1) stands in every line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _name_exception,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], drop_missing=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    _bound_for_good.clear()
    _bound_for_good.update(bound)
    # Libraries may put values of a request into their texts (grpc logs the exception of a handler): silence them.
    logging.getLogger("grpc").setLevel(logging.CRITICAL + 1)


_bound_for_good: dict[str, object] = {}


def _name_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replaces an exception by its type and the places it passed; its text may carry values of the request."""
    for key, value in _bound_for_good.items():
        event.setdefault(key, value)
    error = event.pop("error_of", None)
    if isinstance(error, BaseException):
        event["exception"] = type(error).__name__
        places = []
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}:{code.co_name}")
            trace = trace.tb_next
        event["trace"] = " ".join(places[-8:])
    return event
