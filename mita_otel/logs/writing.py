"""The writer's side: a captured record is finished and handed to each destination."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from mita_otel.logs import fields, streams
from mita_otel.logs.captured import Captured
from mita_otel.logs.handler import Depth
from mita_otel.logs.pipeline import Pipeline
from mita_otel.logs.render import render_json


class Finished:
    """A record as destinations get it.

    Attributes:
        captured: what was taken from the record.
        entry: its fields, masked and cut.
    """

    __slots__ = ("_json", "captured", "entry")

    def __init__(self, captured: Captured, entry: dict[str, Any]) -> None:
        self.captured = captured
        self.entry = entry
        self._json: bytes | None = None

    @property
    def stream(self) -> str:
        """The stream that it belongs to."""
        kept: str = self.entry.get(fields.STREAM, streams.APPLICATION)
        return kept

    def json(self) -> bytes:
        """Return the line of JSON; it is made once, however many destinations want it."""
        if self._json is None:
            self._json = render_json(self.entry)
        return self._json


class Sink(Protocol):
    """A destination; used by one thread at a time."""

    def __call__(self, finished: Finished) -> None:
        """Take one record."""

    def flush(self) -> None:
        """Write what was taken: some records at once cost little more than one."""


class Nowhere:
    """Takes the place of stdout: records that our own work makes must not go anywhere else in any case."""

    __slots__ = ()

    def __call__(self, finished: Finished) -> None:
        """Forget it."""

    def flush(self) -> None:
        """Do nothing."""


class Writing:
    """Finishes records and hands them on; never raises.

    Args:
        pipeline: makes the entry.
        sinks: where entries go; records made by our own work go to the first one only.
        depth: shared with the handler.
        faults: counts what was swallowed, by place.
        done: called after each batch, such as to tell what was lost.
    """

    __slots__ = ("_depth", "_done", "_faults", "_pipeline", "_sinks")

    def __init__(
        self,
        pipeline: Pipeline,
        sinks: Sequence[Sink],
        depth: Depth,
        faults: Counter[str],
        *,
        done: Callable[[], None] = lambda: None,
    ) -> None:
        self._done = done
        self._pipeline = pipeline
        self._sinks = tuple(sinks)
        self._depth = depth
        self._faults = faults

    def __call__(self, batch: Sequence[Captured]) -> None:
        """Write some records, in their order."""
        before = self._depth.value
        try:
            for captured in batch:
                self._depth.value = captured.generation + 1
                self._hand_on(captured)
            self._depth.value = 1
            for sink in self._sinks:
                try:
                    sink.flush()
                except Exception:  # noqa: BLE001 - as below
                    self._fault(sink)
            self._done()
        finally:
            self._depth.value = before

    def _hand_on(self, captured: Captured) -> None:
        try:
            finished = Finished(captured, self._pipeline(captured))
        except Exception:  # noqa: BLE001 - the thread must go on
            self._faults["handler"] += 1
            return
        for sink in self._sinks if captured.generation == 0 else self._sinks[:1]:
            try:
                sink(finished)
            except Exception:  # noqa: BLE001 - a fault of one destination must not cost the others their line
                self._fault(sink)

    def _fault(self, sink: Sink) -> None:
        self._faults[type(sink).__name__.lower()] += 1
