"""Between slices of the encoding requests have the interpreter, and for a while unless the delivery is urgent."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from mita_otel.export import Outbox
from mita_otel.export.turns import Turns
from tests.fixtures.polling import eventually
from tests.unit.export.conftest import QUICK, ScriptedSender

PAUSE = 0.002
BATCH = 16
CAPACITY = 256


class Watched(NamedTuple):
    """An outbox, its receiver, and the pauses that its delivery has made."""

    outbox: Outbox[str]
    receiver: ScriptedSender
    pauses: list[float]

    def put(self, number: int) -> None:
        for item in range(number):
            self.outbox.put(str(item))


@pytest.fixture
def watched(make_outbox: Callable[..., Outbox[str]], monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr("mita_otel.export.turns.SLICE", -1)
    turns, receiver, pauses = Turns(), ScriptedSender(), list[float]()
    pace = QUICK.replace(schedule_delay=60, capacity=CAPACITY, batch_size=BATCH, pause=PAUSE)
    outbox = make_outbox(receiver, pace, turns=turns)
    wanted = turns.pause

    def pause() -> float:
        pauses.append(wanted())
        return pauses[-1]

    turns.pause = pause
    return Watched(outbox, receiver, pauses)


def test_requests_have_a_while_when_nobody_waits_for_the_delivery(watched: Watched) -> None:
    watched.put(BATCH)
    eventually(lambda: watched.pauses == [PAUSE])


def test_a_flush_is_not_kept_waiting(watched: Watched) -> None:
    watched.put(1)
    assert watched.outbox.flush(5)
    assert watched.pauses == [0.0]


def test_the_end_of_the_process_is_not_kept_waiting(watched: Watched) -> None:
    watched.put(1)
    watched.outbox.close(5)
    assert watched.pauses == [0.0]


def test_more_than_four_batches_are_not_kept_waiting(watched: Watched) -> None:
    watched.receiver.gate.clear()
    watched.put(BATCH)
    assert watched.receiver.entered.wait(5)
    watched.put(6 * BATCH)
    watched.pauses.clear()
    watched.receiver.gate.set()
    eventually(lambda: bool(watched.pauses))
    assert watched.pauses[0] == 0.0
