"""A sender that answers from a script, and outboxes of strings that are always closed."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mita_otel.export import Accepted, Outbox, Outcome, Pace

QUICK = Pace(schedule_delay=0.01, backoff_initial=0.01, backoff_limit=0.02, attempt_timeout=5)


class ScriptedSender:
    """Answers in turn from a script, then accepts; `gate` holds attempts while it is cleared."""

    destination = "http://receiver.test/v1/traces"

    def __init__(self, *script: Outcome | Exception) -> None:
        self.script = list(script)
        self.payloads: list[bytes] = []
        self.delivered: list[str] = []
        self.timeouts: list[float] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.closed = False
        self.inspect: Callable[[], None] = lambda: None

    def send(self, payload: bytes, timeout: float) -> Outcome:
        self.payloads.append(payload)
        self.timeouts.append(timeout)
        self.inspect()
        self.entered.set()
        self.gate.wait(timeout=10)
        outcome = self.script.pop(0) if self.script else Accepted()
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, Accepted):
            self.delivered += payload.decode().split()
        return outcome

    def close(self) -> None:
        self.closed = True
        self.gate.set()


def encode(items: Any) -> bytes:
    if "poison" in items:
        raise ValueError("poison")
    return b"".join(item.encode() + b" " for item in items)


@pytest.fixture
def make_outbox() -> Iterator[Callable[..., Outbox[str]]]:
    made: list[Outbox[str]] = []

    def make(sender: Any, pace: Pace = QUICK, **options: Any) -> Outbox[str]:
        outbox: Outbox[str] = Outbox(**{"signal": "traces", "encode": encode, "sender": sender, "pace": pace} | options)
        made.append(outbox)
        return outbox

    yield make
    for outbox in made:
        outbox.close(0)
