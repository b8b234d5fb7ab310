"""What an outage leaves over is stored, delivered in its order, and found again by the next process."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.resources import Resource

from mita_otel.export import MaskingEncoder, OutboxSpanProcessor, Outcome, Refused, Retry
from mita_otel.export.spool import Spool
from mita_otel.traces.provider import Provider
from tests.fixtures.polling import eventually
from tests.unit.export.conftest import QUICK
from tests.unit.export.test_processors import Recorder

PACE = QUICK.replace(capacity=40, batch_size=10)


class Absent(Recorder):
    """A receiver that is away until it is told to come back."""

    def __init__(self) -> None:
        super().__init__()
        self.is_back = False

    def send(self, payload: bytes, timeout: float) -> Outcome:
        return super().send(payload, timeout) if self.is_back else Retry("connection refused")


class Pipeline:
    """Spans of one process, to one receiver, by one folder."""

    def __init__(self, folder: Path, receiver: Recorder, limit: int = 1_000_000) -> None:
        self.outbox = OutboxSpanProcessor(receiver, encoder=MaskingEncoder(), pace=PACE, spool=Spool(folder, limit))
        provider = Provider(resource=Resource({"service.name": "s"}))
        provider.add_span_processor(self.outbox)
        self._tracer = provider.get_tracer("t")

    def end(self, *numbers: int) -> None:
        for number in numbers:
            self._tracer.start_span(f"span {number}").end()

    def end_as_many_as_fit(self, first: int, last: int) -> None:
        """End spans as fast as the disk takes what the memory cannot hold."""
        for number in range(first, last):
            self.end(number)
            if number % 10 == 0:
                eventually(lambda: self._in_memory() <= PACE.capacity - 10)

    def _in_memory(self) -> int:
        outbox = self.outbox._outbox
        return len(outbox._queue) + outbox._in_flight


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Callable[..., Pipeline]]:
    made: list[Pipeline] = []

    def make(receiver: Recorder, limit: int = 1_000_000, folder: Path = tmp_path / "traces") -> Pipeline:
        made.append(Pipeline(folder, receiver, limit))
        return made[-1]

    yield make
    for one in made:
        one.outbox.close(0)


def names(first: int, last: int) -> list[str]:
    return [f"span {number}" for number in range(first, last)]


def stored(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.otlp"))


def test_an_outage_longer_than_the_memory_loses_nothing_and_no_order(
    pipeline: Callable[..., Pipeline], tmp_path: Path
) -> None:
    receiver = Absent()
    one = pipeline(receiver)
    one.end_as_many_as_fit(0, 300)
    assert len(stored(tmp_path)) > 10
    assert one.outbox.statistics().queued == 300
    receiver.is_back = True
    assert one.outbox.force_flush(10_000)
    assert receiver.span_names == names(0, 300)
    assert (one.outbox.statistics().accepted, one.outbox.statistics().lost) == (300, 0)
    eventually(lambda: stored(tmp_path) == [])


def test_what_is_left_at_the_end_is_delivered_by_the_next_process(
    pipeline: Callable[..., Pipeline], tmp_path: Path
) -> None:
    first = pipeline(Absent())
    first.end_as_many_as_fit(0, 100)
    closed = first.outbox.close(2)
    assert closed.left == 0
    assert closed.statistics.lost == 0
    assert stored(tmp_path)
    # Its lock ends with the process; here nothing does.
    first.outbox._outbox._spool.items = 0  # type: ignore[attr-defined] # it has one
    first.outbox._outbox._spool.leave()  # type: ignore[attr-defined]
    receiver = Recorder()
    second = pipeline(receiver)
    second.end(100)
    assert second.outbox.force_flush(10_000)
    assert receiver.span_names == names(0, 101)
    assert second.outbox.statistics().accepted == 101
    assert second.outbox.close(1).left == 0


def test_the_oldest_make_room_and_are_counted(pipeline: Callable[..., Pipeline], tmp_path: Path) -> None:
    receiver = Absent()
    one = pipeline(receiver, limit=8_000)
    one.end_as_many_as_fit(0, 300)
    assert sum(path.stat().st_size for path in stored(tmp_path)) <= 8_000
    receiver.is_back = True
    one.outbox.force_flush(10_000)
    counts = one.outbox.statistics()
    assert counts.accepted + counts.dropped_queue_full == 300
    assert counts.dropped_queue_full > 100
    numbers = [int(name.removeprefix("span ")) for name in receiver.span_names]
    assert numbers == sorted(numbers)
    assert numbers[-30:] == list(range(270, 300))


def test_without_a_place_to_store_it_is_an_outbox(pipeline: Callable[..., Pipeline], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    receiver = Recorder()
    one = pipeline(receiver, folder=tmp_path / "file")
    one.end(*range(20))
    assert one.outbox.force_flush(5_000)
    assert receiver.span_names == names(0, 20)


def test_a_file_that_cannot_be_read_costs_itself_only(pipeline: Callable[..., Pipeline], tmp_path: Path) -> None:
    receiver = Absent()
    one = pipeline(receiver)
    one.end_as_many_as_fit(0, 100)
    damaged = stored(tmp_path)[1]
    damaged.write_bytes(b"\x0a\xff")
    receiver.is_back = True
    assert not one.outbox.force_flush(10_000)
    eventually(lambda: stored(tmp_path) == [])
    assert one.outbox.statistics().accepted == 90
    assert one.outbox.statistics().dropped_queue_full == 10


def test_what_is_malformed_among_what_was_stored_is_refused_alone(
    pipeline: Callable[..., Pipeline], tmp_path: Path
) -> None:
    class Fussy(Absent):
        def send(self, payload: bytes, timeout: float) -> Outcome:
            bad = self.is_back and b"span 7\x30" in payload
            return Refused("HTTP 400", divisible=True) if bad else super().send(payload, timeout)

    receiver = Fussy()
    one = pipeline(receiver)
    one.end_as_many_as_fit(0, 60)
    assert stored(tmp_path)
    receiver.is_back = True
    assert not one.outbox.force_flush(10_000)
    assert receiver.span_names == [name for name in names(0, 60) if name != "span 7"]
    assert one.outbox.statistics().refused == 1


KILLED = """
import os, sys
from pathlib import Path
from tests.unit.export.test_spooling import Absent, Pipeline
one = Pipeline(Path(sys.argv[1]), Absent())
one.end_as_many_as_fit(0, 100)
print("stored", flush=True)
sys.stdin.read()
"""

FORKED = """
import os, sys
from pathlib import Path
from tests.unit.export.test_spooling import Absent, Pipeline, stored
receiver = Absent()
one = Pipeline(Path(sys.argv[1]), receiver)
one.end_as_many_as_fit(0, 60)
child = os.fork()
if child == 0:
    one.end_as_many_as_fit(100, 160)
    folders = {path.parent for path in stored(Path(sys.argv[1]))}
    receiver.is_back = True
    good = len(folders) == 2 and one.outbox.force_flush(5000)
    good = good and receiver.span_names == [f"span {n}" for n in range(100, 160)]
    os._exit(0 if good else 1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
receiver.is_back = True
good = one.outbox.force_flush(5000) and receiver.span_names == [f"span {n}" for n in range(60)]
sys.exit(status or (0 if good else 2))
"""


def start(program: str, folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": "."},
    )


def test_what_a_killed_process_has_stored_is_taken_over_but_not_that_of_a_living_one(
    pipeline: Callable[..., Pipeline], tmp_path: Path
) -> None:
    with start(KILLED, tmp_path / "traces") as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "stored\n"
        before = set(stored(tmp_path))
        assert before
        living = Recorder()
        one = pipeline(living)
        one.end(1000)
        assert one.outbox.force_flush(5_000)
        assert living.span_names == ["span 1000"]
        # It still moves to its folder what it held when it said so.
        assert before <= set(stored(tmp_path))
        other.send_signal(signal.SIGKILL)
    receiver = Recorder()
    two = pipeline(receiver)
    two.end(1001)
    assert two.outbox.force_flush(5_000)
    assert receiver.span_names[:30] == names(0, 30)
    assert receiver.span_names[-1] == "span 1001"
    assert stored(tmp_path) == []


def test_a_forked_child_stores_in_a_folder_of_its_own(tmp_path: Path) -> None:
    with start(FORKED, tmp_path / "traces") as parent:
        assert parent.wait(60) == 0


def test_folders_and_files_are_for_this_user_alone(pipeline: Callable[..., Pipeline], tmp_path: Path) -> None:
    one = pipeline(Absent())
    one.end_as_many_as_fit(0, 60)
    assert {path.stat().st_mode & 0o777 for path in stored(tmp_path)} == {0o600}
    assert (tmp_path / "traces").stat().st_mode & 0o777 == 0o700
