"""Puts our handler where every record passes, and keeps it there through whatever configures logging later."""

import logging
import logging.config
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO

import wrapt
from opentelemetry.sdk._logs import LoggerProvider

from mita_otel.export import OutboxLogRecordProcessor
from mita_otel.logs import levels as components
from mita_otel.logs.backlog import Backlog
from mita_otel.logs.captured import Capture, Captured, parts
from mita_otel.logs.handler import Depth, EntryHandler
from mita_otel.logs.leaving import last_words
from mita_otel.logs.losses import QUEUE, Losses
from mita_otel.logs.otlp import Otlp
from mita_otel.logs.pipeline import Limits, Pipeline, Redaction, steps
from mita_otel.logs.stdout import Format, Stdout, is_terminal, renderer
from mita_otel.logs.streams import READ, stream_of
from mita_otel.logs.writing import Nowhere, Sink, Writing
from mita_otel.redaction import redact_query, redact_text, redact_value

if TYPE_CHECKING:
    from mita_otel.logs.files import Files

REDACTION: Final = Redaction(text=redact_text, value=redact_value, query=redact_query)
"""The masking of every other signal, too."""

_AT_UNDO: Final = 5.0
"""Seconds that taking the handler out waits for what was logged."""

_CONFIGURATORS: Final = ((logging, "basicConfig"), (logging.config, "dictConfig"), (logging.config, "fileConfig"))


Closing = Callable[[float], object]
"""Delivers what is left and stops; takes the seconds it may spend."""


class Installed:
    """Our handler in place.

    Attributes:
        faults: what was swallowed, by place; it only grows.
        losses: records that did not reach a destination.
        undo: takes the handler out and the wrappers off; logging is as the application configured it.
    """

    __slots__ = ("_backlog", "_otlp", "faults", "losses", "undo")

    def __init__(
        self,
        faults: Counter[str],
        losses: Losses,
        undo: Callable[[], None],
        backlog: Backlog[Captured],
        otlp: Otlp | None,
    ) -> None:
        self.faults = faults
        self.losses = losses
        self.undo = undo
        self._backlog = backlog
        self._otlp = otlp

    @property
    def path(self) -> Literal["direct", "sdk", "none"]:
        """How records go to OTLP: encoded at once, by the SDK because a processor was added, or not at all."""
        return "none" if self._otlp is None else self._otlp.path

    def flush(self, timeout: float = 5.0) -> bool:
        """Write what was logged so far; return whether all of it was within `timeout` seconds.

        It is then in its files, on standard output and in the outbox.
        """
        return self._backlog.flush(timeout)

    def closing(self, close: Closing | None = None) -> Closing:
        """Return what writes everything that was logged, and then closes what carries it on.

        From then on each record is written by the thread that makes it.

        Args:
            close: closes the outbox.
        """

        def both(budget: float) -> object:
            started = time.monotonic()
            # A disk that hangs must leave the outbox its time: most of what it is to deliver is there already.
            self._backlog.close(budget if close is None else budget / 2)
            return None if close is None else close(max(0.0, budget - (time.monotonic() - started)))

        return both


class _Routing:
    """Decides which loggers have our handler: exactly one on the way of every record that anyone would see.

    A record stops at the first logger that does not propagate, else at the root: the handler is on these and nowhere
    else. A logger that does not propagate and has no handler was silenced on purpose (`--no-access-log`) and stays so.
    """

    __slots__ = ("handler", "removed", "replaces_console", "stopped")

    def __init__(self, handler: logging.Handler, *, replaces_console: bool) -> None:
        self.handler = handler
        self.replaces_console = replaces_console
        self.stopped = False
        self.removed: list[tuple[logging.Logger, logging.Handler]] = []

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
    outbox: OutboxLogRecordProcessor | None = None,
    format: Format = "auto",  # noqa: A002 - the setting's name
    level: str | int = "INFO",
    levels: Mapping[str, str] | None = None,
    directory: Path | None = None,
    limits: Limits | None = None,
    redaction: Redaction | None = None,
    stream: Callable[[], TextIO | None] | None = None,
) -> Installed:
    """Write every record of `logging` to stdout, to OTLP and to files from now on.

    Args:
        logger_provider: where OTLP log records go; None for none.
        resource: returns the resource of this process; asked for each record, because a fork changes it.
        outbox: the provider's processor that takes records ready to go, if it has one.
        format: of stdout; `none` leaves stdout and other console handlers alone.
        level: of the root logger, unless the application has set it; the application may change it at any time.
        levels: of single loggers, in the same way.
        directory: where files are written; None for none.
        limits: lengths of texts.
        redaction: what masks sensitive data; by default that of `mita_otel.redaction`.
        stream: returns the stream to write to; `sys.stdout` by default.
    """
    faults: Counter[str] = Counter()
    losses, depth, limits = Losses(), Depth(), limits or Limits()
    render = renderer(format, stream() if stream else None)
    stdout = None if render is None else Stdout(render, faults, losses, stream)
    otlp = None if logger_provider is None else Otlp(logger_provider, outbox)
    files = None if directory is None else _files(directory, losses)
    places: list[Sink | None] = [stdout or Nowhere(), otlp, files]
    sinks = [place for place in places if place is not None]
    capture = Capture([*parts(limits.value), *(sink.bind for sink in (stdout, otlp) if sink is not None)], faults)
    pipeline = Pipeline(steps(resource, redaction or REDACTION, limits), faults)
    backlog = Backlog(
        Writing(pipeline, sinks, depth, faults, done=losses.tell),
        lambda captured: losses.add(QUEUE, "queue_full", stream_of(captured.name, (captured.template or "")[:READ])),
        begin_anew=lambda: [one.begin_anew() for one in (losses, stdout, files) if one is not None],
    )
    terminal = render is not None and is_terminal(stream() if stream else sys.stdout)
    handler = EntryHandler(capture, backlog, depth, faults, is_immediate=terminal)
    routing = _Routing(handler, replaces_console=stdout is not None)
    restore_level, restore_levels = _set_level(level), components.apply(components.chosen(level, levels or {}))
    unwrap = _follow(routing, faults)
    speak = last_words(backlog)
    routing.apply()

    def undo() -> None:
        backlog.close(_AT_UNDO)
        speak()
        unwrap()
        routing.undo()
        restore_levels()
        restore_level()

    return Installed(faults, losses, undo, backlog, otlp)


def _files(directory: Path, losses: Losses) -> "Files":
    from mita_otel.logs.files import Files  # noqa: PLC0415 - who has no folder for them starts without

    return Files(directory, losses)


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
        ours = _own_loggers()
        try:
            return wrapped(*args, **kwargs)
        finally:
            # By default every logger that is there already is disabled: ours are, and nobody meant those.
            for logger in ours:
                logger.disabled = False
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


def _own_loggers() -> list[logging.Logger]:
    """Return the distribution's own loggers that are not disabled."""
    named = logging.root.manager.loggerDict.copy().items()
    return [
        logger
        for name, logger in named
        if name.startswith("mita_otel") and isinstance(logger, logging.Logger) and not logger.disabled
    ]


def _guarded(action: Callable[[], None], faults: Counter[str]) -> None:
    try:
        action()
    except Exception:  # noqa: BLE001 - configuring logging is the application's, and must work without us
        faults["install"] += 1
