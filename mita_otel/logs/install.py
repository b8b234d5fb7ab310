"""Puts our handler where every record passes, and keeps it there through whatever configures logging later."""

import logging
import logging.config
import os
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TextIO

import wrapt
from opentelemetry.sdk._logs import LoggerProvider

from mita_otel.logs.handler import EntryHandler, Sink
from mita_otel.logs.otlp import Otlp
from mita_otel.logs.pipeline import Limits, Pipeline, Redaction, steps
from mita_otel.logs.stdout import Format, Stdout, renderer
from mita_otel.redaction import redact_query, redact_text, redact_value

REDACTION: Final = Redaction(text=redact_text, value=redact_value, query=redact_query)
"""The masking of every other signal, too."""

_CONFIGURATORS: Final = ((logging, "basicConfig"), (logging.config, "dictConfig"), (logging.config, "fileConfig"))


@dataclass(frozen=True, slots=True)
class Installed:
    """Our handler in place.

    Args:
        faults: what was swallowed, by place; it only grows.
        undo: takes the handler out and the wrappers off; logging is as the application configured it.
    """

    faults: Counter[str]
    undo: Callable[[], None]


@dataclass(slots=True)
class _Routing:
    """Decides which loggers have our handler: exactly one on the way of every record that anyone would see.

    A record stops at the first logger that does not propagate, else at the root: the handler is on these and nowhere
    else. A logger that does not propagate and has no handler was silenced on purpose (`--no-access-log`) and stays so.
    """

    handler: logging.Handler
    replaces_console: bool
    stopped: bool = False
    removed: list[tuple[logging.Logger, logging.Handler]] = field(default_factory=list)

    def apply(self) -> None:
        """Put the handler in place; a second call changes nothing."""
        if self.stopped:
            return
        self._take(logging.root)
        for logger in list(logging.root.manager.loggerDict.values()):
            if not isinstance(logger, logging.Logger):
                continue
            if logger.propagate:
                logger.removeHandler(self.handler)
            elif any(not isinstance(handler, logging.NullHandler) for handler in logger.handlers):
                self._take(logger)

    def _take(self, logger: logging.Logger) -> None:
        if self.replaces_console:
            for handler in [handler for handler in logger.handlers if _is_console(handler)]:
                # The same line as plain text would be a second line.
                logger.removeHandler(handler)
                self.removed.append((logger, handler))
        logger.addHandler(self.handler)

    def withdraw(self) -> None:
        """Take the handler out everywhere."""
        for logger in [logging.root, *logging.root.manager.loggerDict.values()]:
            if isinstance(logger, logging.Logger):
                logger.removeHandler(self.handler)

    def undo(self) -> None:
        """Take the handler out for good and put the console handlers back."""
        self.stopped = True
        self.withdraw()
        for logger, handler in self.removed:
            logger.addHandler(handler)
        self.removed.clear()


def _is_console(handler: logging.Handler) -> bool:
    if not isinstance(handler, logging.StreamHandler) or isinstance(handler, logging.FileHandler):
        return False
    return handler.stream in {sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__}


def install(
    *,
    logger_provider: LoggerProvider | None,
    resource: Callable[[], Any],
    format: Format = "auto",  # noqa: A002 - the setting's name
    level: str | int = "INFO",
    limits: Limits | None = None,
    redaction: Redaction | None = None,
    stream: Callable[[], TextIO | None] | None = None,
) -> Installed:
    """Write every record of `logging` to stdout and to OTLP from now on.

    Args:
        logger_provider: where OTLP log records go; None for stdout alone.
        resource: returns the resource of this process; asked at each record, because a fork changes it.
        format: of stdout; `none` leaves stdout and other console handlers alone.
        level: of the root logger, unless the application has set it; the application may change it at any time.
        limits: lengths of texts.
        redaction: what masks sensitive data; by default that of `mita_otel.redaction`.
        stream: returns the stream to write to; `sys.stdout` by default.
    """
    faults: Counter[str] = Counter()
    render = renderer(format, stream() if stream else None)
    stdout = None if render is None else Stdout(render, faults, stream)
    sinks: list[Sink] = [] if stdout is None else [stdout]
    if stdout is None:
        sinks.append(_nowhere)
    else:
        os.register_at_fork(after_in_child=stdout.after_fork)
    if logger_provider is not None:
        sinks.append(Otlp(logger_provider))
    pipeline = Pipeline(steps(resource, redaction or REDACTION, limits or Limits()), faults)
    routing = _Routing(EntryHandler(pipeline, sinks, faults), replaces_console=stdout is not None)
    restore_level = _set_level(level)
    unwrap = _follow(routing, faults)
    routing.apply()

    def undo() -> None:
        unwrap()
        routing.undo()
        restore_level()

    return Installed(faults, undo)


def _nowhere(_: logging.LogRecord, __: dict[str, Any]) -> None:
    """Take the place of stdout: records that our own work makes must not go to OTLP in any case."""


def _set_level(level: str | int) -> Callable[[], None]:
    before = logging.root.level
    if before != logging.WARNING:
        return lambda: None
    logging.root.setLevel(level)
    ours = logging.root.level

    def restore() -> None:
        if logging.root.level == ours:
            logging.root.setLevel(before)

    return restore


def _follow(routing: _Routing, faults: Counter[str]) -> Callable[[], None]:
    """Wrap what configures logging: our handler is away while it runs and back afterwards."""

    def configure(wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if routing.stopped:
            return wrapped(*args, **kwargs)
        # basicConfig does nothing where the root logger has a handler; dictConfig closes the handlers it finds.
        routing.withdraw()
        try:
            return wrapped(*args, **kwargs)
        finally:
            _guarded(routing.apply, faults)

    def set_up(wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return wrapped(*args, **kwargs)
        finally:
            _guarded(routing.apply, faults)

    originals = [(module, name, getattr(module, name)) for module, name in _CONFIGURATORS]
    for module, name, original in originals:
        setattr(module, name, wrapt.FunctionWrapper(original, configure))

    def wrap_gunicorn(module: Any) -> None:
        # Its loggers get their handlers by hand, in the arbiter, after we have been started.
        if not routing.stopped:
            wrapt.wrap_function_wrapper(module, "Logger.setup", set_up)

    wrapt.when_imported("gunicorn.glogging")(wrap_gunicorn)

    def unwrap() -> None:
        for module, name, original in originals:
            setattr(module, name, original)

    return unwrap


def _guarded(action: Callable[[], None], faults: Counter[str]) -> None:
    try:
        action()
    except Exception:  # noqa: BLE001 - configuring logging is the application's, and must work without us
        faults["install"] += 1
