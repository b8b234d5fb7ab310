"""A logs room with an in-memory exporter and a text stream in the place of stdout."""

import io
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from mita_otel.logs import Installed, install
from mita_otel.logs.handler import EntryHandler
from mita_otel.logs.pipeline import Limits, Redaction

PLAIN = Redaction(text=lambda text: text, value=lambda _, value: value, query=lambda query: query)


@dataclass
class Room:
    """The room, and what it wrote."""

    installed: Installed
    stream: io.StringIO
    exporter: InMemoryLogRecordExporter
    provider: LoggerProvider

    def alone(self) -> None:
        """Take out the handlers that pytest adds for each test: they raise on records that cannot be formatted."""
        logging.root.handlers[:] = [one for one in logging.root.handlers if isinstance(one, EntryHandler)]

    @property
    def lines(self) -> list[dict[str, Any]]:
        self.installed.flush()
        return [json.loads(line) for line in self.stream.getvalue().split("\n") if line]

    @property
    def exported(self) -> list[Any]:
        self.installed.flush()
        return [item.log_record for item in self.exporter.get_finished_logs()]

    @property
    def faults(self) -> Counter[str]:
        self.installed.flush()
        return self.installed.faults


@dataclass
class Saved:
    """The state of logging before a test."""

    level: int = field(default_factory=lambda: logging.root.level)
    handlers: list[logging.Handler] = field(default_factory=lambda: list(logging.root.handlers))


@pytest.fixture
def open_room() -> Iterator[Callable[..., Room]]:
    """Install rooms, and leave logging as it was found."""
    saved, rooms = Saved(), []

    def build(**options: Any) -> Room:
        exporter, stream = InMemoryLogRecordExporter(), io.StringIO()  # type: ignore[no-untyped-call] # the SDK does not type it
        resource = Resource({"service.name": "shop", "service.version": "1.2", "host.name": "not repeated"})
        provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        given = {"format": "json", "redaction": PLAIN, "limits": Limits(), "level": "DEBUG", **options}
        installed = install(
            logger_provider=provider, resource=lambda: provider.resource, stream=lambda: stream, **given
        )
        rooms.append(installed)
        return Room(installed, stream, exporter, provider)

    yield build
    for installed in reversed(rooms):
        installed.undo()
    logging.root.handlers[:] = saved.handlers
    logging.root.setLevel(saved.level)


@pytest.fixture
def room(open_room: Callable[..., Room]) -> Room:
    return open_room()
