"""What is put is delivered, or counted as lost, and never makes its giver wait."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from mita_otel.export import Accepted, Outbox, Outcome, Refused, Retry
from mita_otel.export.outbox import DIVISIONS
from tests.fixtures.polling import eventually
from tests.unit.export.conftest import QUICK, ScriptedSender, encode

Make = Callable[..., Outbox[str]]


def put_all(outbox: Outbox[str], *items: str) -> list[str]:
    for item in items:
        outbox.put(item)
    return list(items)


def test_items_are_delivered_in_order(make_outbox: Make) -> None:
    sender = ScriptedSender()
    outbox = make_outbox(sender)
    items = put_all(outbox, *map(str, range(2000)))
    assert outbox.flush(5)
    assert sender.delivered == items
    assert outbox.statistics().accepted == 2000


def test_an_item_waits_no_longer_than_the_schedule_delay(make_outbox: Make) -> None:
    sender = ScriptedSender()
    make_outbox(sender).put("alone")
    eventually(lambda: sender.delivered == ["alone"], 2)


def test_a_full_batch_goes_out_at_once(make_outbox: Make) -> None:
    sender = ScriptedSender()
    outbox = make_outbox(sender, QUICK.replace(schedule_delay=60, batch_size=3))
    items = put_all(outbox, "a", "b", "c")
    eventually(lambda: sender.delivered == items, 2)


def test_a_batch_is_tried_again_until_accepted_and_delivered_once(make_outbox: Make) -> None:
    sender = ScriptedSender(Retry("connection refused"), Retry("HTTP 503", 0.01), Retry("timeout"))
    outbox = make_outbox(sender)
    items = put_all(outbox, "a", "b")
    eventually(lambda: sender.delivered == items)
    assert outbox.statistics().retries == 3
    assert outbox.statistics().lost == 0


def test_a_sender_that_raises_is_a_failed_attempt(make_outbox: Make) -> None:
    sender = ScriptedSender(RuntimeError("bug"))
    outbox = make_outbox(sender)
    put_all(outbox, "a")
    eventually(lambda: sender.delivered == ["a"])


def test_a_refused_batch_is_counted_and_the_next_one_goes_out(make_outbox: Make) -> None:
    sender = ScriptedSender(Refused("HTTP 400"))
    outbox = make_outbox(sender, QUICK.replace(batch_size=2))
    put_all(outbox, "a", "b", "c")
    assert not outbox.flush(5)
    assert sender.delivered == ["c"]
    assert (outbox.statistics().refused, outbox.statistics().accepted) == (2, 1)


def test_a_payload_that_is_too_large_is_sent_in_halves(make_outbox: Make) -> None:
    class Narrow(ScriptedSender):
        def send(self, payload: bytes, timeout: float) -> Outcome:
            return Refused("HTTP 413", divisible=True) if len(payload) > 8 else super().send(payload, timeout)

    sender = Narrow()
    outbox = make_outbox(sender)
    items = put_all(outbox, *"abcdefghijk")
    outbox.put("far-too-large")
    outbox.put("z")
    assert not outbox.flush(5)
    assert sender.delivered == [*items, "z"]
    assert outbox.statistics().refused == 1


class Fussy(ScriptedSender):
    """Refuses a payload that holds an item it cannot read, as a Collector does."""

    def send(self, payload: bytes, timeout: float) -> Outcome:
        if b"malformed" in payload:
            self.payloads.append(payload)
            return Refused("HTTP 400", divisible=True)
        return super().send(payload, timeout)


@given(where=st.sets(st.integers(0, 511), max_size=4))
@settings(max_examples=30)
def test_malformed_items_cost_only_themselves(where: set[int]) -> None:
    sender = Fussy()
    outbox: Outbox[str] = Outbox(signal="traces", encode=encode, sender=sender, pace=QUICK.replace(schedule_delay=60))
    items = put_all(outbox, *(f"malformed-{n}" if n in where else str(n) for n in range(512)))
    assert outbox.flush(5) is not bool(where)
    outbox.close(0)
    assert sender.delivered == [item for item in items if not item.startswith("malformed")]
    assert outbox.statistics().refused == len(where)


def test_a_receiver_that_refuses_everything_is_not_asked_about_each_item(make_outbox: Make) -> None:
    sender = Fussy()
    outbox = make_outbox(sender, QUICK.replace(schedule_delay=60))
    put_all(outbox, *(f"malformed-{number}" for number in range(512)))
    assert not outbox.flush(5)
    assert outbox.statistics().refused == 512
    assert len(sender.payloads) <= 2 * DIVISIONS + 1


def test_a_receiver_that_goes_away_between_two_halves_gets_the_rest_later(make_outbox: Make) -> None:
    sender = ScriptedSender(Refused("HTTP 413", divisible=True), Accepted(), Retry("HTTP 503"))
    outbox = make_outbox(sender, QUICK.replace(schedule_delay=60))
    items = put_all(outbox, *map(str, range(100)))
    eventually(lambda: outbox.flush(1))
    assert sender.delivered == items
    assert outbox.statistics().lost == 0


def test_a_payload_is_cut_at_its_limit(make_outbox: Make) -> None:
    sender = ScriptedSender()
    outbox = make_outbox(sender, QUICK.replace(payload_limit=10, slice_size=2))
    items = put_all(outbox, *map(str, range(100)))
    assert outbox.flush(5)
    assert sender.delivered == items
    assert max(map(len, sender.payloads)) <= 10


@given(sizes=st.lists(st.integers(1, 40), max_size=60), limit=st.integers(10, 60), slice_size=st.integers(1, 16))
def test_no_payload_is_over_the_limit_unless_it_is_one_item(sizes: list[int], limit: int, slice_size: int) -> None:
    sender = ScriptedSender()
    pace = QUICK.replace(payload_limit=limit, slice_size=slice_size)
    outbox: Outbox[str] = Outbox(signal="traces", encode=encode, sender=sender, pace=pace)
    items = put_all(outbox, *(f"{number:x}".ljust(size, "x") for number, size in enumerate(sizes)))
    assert outbox.flush(5)
    outbox.close(0)
    assert sender.delivered == items
    assert all(len(payload) <= limit or len(payload.split()) == 1 for payload in sender.payloads)


def test_partial_success_counts_what_was_rejected(make_outbox: Make) -> None:
    outbox = make_outbox(ScriptedSender(Accepted(2, "too old")))
    put_all(outbox, "a", "b", "c")
    assert not outbox.flush(5)
    assert (outbox.statistics().rejected, outbox.statistics().accepted) == (2, 1)


def test_a_receiver_that_rejects_more_than_it_got_is_not_believed(make_outbox: Make) -> None:
    outbox = make_outbox(ScriptedSender(Accepted(1000, "lie")))
    outbox.put("a")
    outbox.flush(5)
    assert (outbox.statistics().rejected, outbox.statistics().accepted) == (1, 0)


def test_an_item_that_cannot_be_encoded_is_dropped_alone(make_outbox: Make) -> None:
    sender = ScriptedSender()
    outbox = make_outbox(sender)
    put_all(outbox, *map(str, range(70)), "poison", *map(str, range(70, 140)))
    assert not outbox.flush(5)
    assert sender.delivered == [*map(str, range(140))]
    assert outbox.statistics().dropped_encode_error == 1


def test_when_full_the_oldest_make_room_and_are_counted(make_outbox: Make) -> None:
    sender = ScriptedSender(*[Retry("HTTP 503", 60)])
    outbox = make_outbox(sender, QUICK.replace(capacity=10, batch_size=5, retry_after_limit=60))
    put_all(outbox, *map(str, range(5)))
    eventually(lambda: outbox.statistics().retries == 1 and outbox.statistics().queued == 5)
    put_all(outbox, *map(str, range(5, 17)))
    assert outbox.statistics().dropped_queue_full == 7
    outbox.close(5)
    assert sender.delivered == [*map(str, range(7, 17))]


def test_the_batch_on_its_way_counts_toward_the_capacity(make_outbox: Make) -> None:
    sender = ScriptedSender()
    sender.gate.clear()
    outbox = make_outbox(sender, QUICK.replace(capacity=10, batch_size=5))
    put_all(outbox, *map(str, range(5)))
    assert sender.entered.wait(5)
    put_all(outbox, *map(str, range(100, 120)))
    assert outbox.statistics().queued == 10
    assert outbox.statistics().dropped_queue_full == 15


def test_every_item_put_by_many_threads_is_accounted_for(make_outbox: Make) -> None:
    sender = ScriptedSender()
    outbox = make_outbox(sender, QUICK.replace(capacity=200, batch_size=50))
    threads = [threading.Thread(target=put_all, args=(outbox, *["x"] * 2000)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outbox.flush(5)
    statistics = outbox.statistics()
    assert statistics.entered == 8000
    assert statistics.accepted + statistics.dropped_queue_full == 8000
    assert len(sender.delivered) == statistics.accepted


def test_put_does_not_wait_for_a_receiver_that_hangs(make_outbox: Make) -> None:
    sender = ScriptedSender()
    sender.gate.clear()
    outbox = make_outbox(sender, QUICK.replace(batch_size=8))
    outbox.put("a")
    assert sender.entered.wait(5)
    started = time.perf_counter()
    put_all(outbox, *["x"] * 10_000)
    assert time.perf_counter() - started < 1  # 100 us an item would be far too slow already


def test_flush_says_false_when_the_receiver_does_not_answer_in_time(make_outbox: Make) -> None:
    sender = ScriptedSender()
    sender.gate.clear()
    outbox = make_outbox(sender)
    outbox.put("a")
    started = time.monotonic()
    assert not outbox.flush(0.1)
    assert 0.1 <= time.monotonic() - started < 0.5


def test_flush_of_an_empty_outbox_is_true_at_once(make_outbox: Make) -> None:
    assert make_outbox(ScriptedSender(), QUICK.replace(schedule_delay=60)).flush(0)


def test_flush_cuts_a_wait_between_attempts_short(make_outbox: Make) -> None:
    sender = ScriptedSender(*[Retry("timeout")] * 3)
    outbox = make_outbox(sender, QUICK.replace(backoff_initial=1e-9, backoff_limit=1e-9, schedule_delay=60))
    outbox.put("a")
    assert outbox.flush(5)


def test_what_the_receiver_asked_for_is_waited_even_by_flush(make_outbox: Make) -> None:
    sender = ScriptedSender(Retry("HTTP 429", 30))
    outbox = make_outbox(sender)
    outbox.put("a")
    assert not outbox.flush(0.2)
    assert len(sender.payloads) == 1


def test_close_delivers_what_is_left_although_the_receiver_asked_to_wait(make_outbox: Make) -> None:
    sender = ScriptedSender(Retry("HTTP 429", 30))
    outbox = make_outbox(sender)
    outbox.put("a")
    eventually(lambda: outbox.statistics().retries == 1)
    assert outbox.close(5).left == 0
    assert sender.delivered == ["a"]


def test_close_keeps_trying_until_its_deadline(make_outbox: Make) -> None:
    sender = ScriptedSender(*[Retry("connection refused")] * 4)
    outbox = make_outbox(sender, QUICK.replace(schedule_delay=60))
    outbox.put("a")
    assert outbox.close(5).left == 0
    assert sender.delivered == ["a"]


def test_close_gives_up_at_its_deadline_and_counts_what_is_left(
    make_outbox: Make, caplog: pytest.LogCaptureFixture
) -> None:
    sender = ScriptedSender()
    sender.gate.clear()
    outbox = make_outbox(sender, QUICK.replace(batch_size=2))
    put_all(outbox, "a", "b", "c")
    assert sender.entered.wait(5)
    started = time.monotonic()
    closed = outbox.close(0.2)
    assert time.monotonic() - started < 0.4
    assert closed.left == 3
    assert closed.statistics.dropped_shutdown == 3
    assert "traces: shut down with 3 undelivered to http://receiver.test/v1/traces" in caplog.text


def test_an_attempt_is_given_no_more_time_than_the_shutdown_has(make_outbox: Make) -> None:
    sender = ScriptedSender()
    outbox = make_outbox(sender, QUICK.replace(schedule_delay=60))
    outbox.put("a")
    outbox.close(0.5)
    assert sender.timeouts[0] <= 0.5


def test_what_is_put_after_close_is_counted(make_outbox: Make) -> None:
    outbox = make_outbox(ScriptedSender())
    outbox.close(1)
    outbox.put("late")
    assert outbox.statistics().dropped_shutdown == 1
    assert outbox.statistics().queued == 0


def test_close_twice_reports_the_same(make_outbox: Make) -> None:
    outbox = make_outbox(ScriptedSender(*[Retry("timeout")] * 1000))
    outbox.put("a")
    assert outbox.close(0.05).left == 1
    assert outbox.close(5).left == 1


def test_of_two_closers_the_earlier_deadline_holds(make_outbox: Make) -> None:
    sender = ScriptedSender()
    sender.gate.clear()
    outbox = make_outbox(sender)
    outbox.put("a")
    assert sender.entered.wait(5)
    patient = threading.Thread(target=outbox.close, args=(60,))
    patient.start()
    assert outbox.close(0.1).left == 1
    patient.join(1)
    assert not patient.is_alive()


def test_close_ends_the_delivery_thread(make_outbox: Make) -> None:
    outbox = make_outbox(ScriptedSender())
    outbox.close(1)
    eventually(lambda: not outbox._thread.is_alive())


def test_a_fault_of_our_own_costs_its_batch_and_not_the_thread(
    make_outbox: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = ScriptedSender()
    outbox = make_outbox(sender, QUICK.replace(schedule_delay=60))
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "_deliver", lambda _batch: 1 / 0)
        outbox.put("a")
        assert not outbox.flush(5)
    outbox.put("b")
    assert outbox.flush(5)
    assert outbox.statistics().dropped_encode_error == 1


def test_a_log_handler_that_raises_does_not_stop_delivery(make_outbox: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = ScriptedSender(Retry("timeout"))
    outbox = make_outbox(sender)
    monkeypatch.setattr(outbox._summary, "fault", lambda *_args, **_options: 1 / 0)
    outbox.put("a")
    assert outbox.flush(5)


def test_instrumentation_is_off_while_sending(make_outbox: Make) -> None:
    seen: list[bool] = []
    sender = ScriptedSender()
    sender.inspect = lambda: seen.append(is_instrumentation_enabled())
    outbox = make_outbox(sender)
    outbox.put("a")
    outbox.flush(5)
    assert seen == [False]


def test_the_duration_of_an_export_includes_its_retries(make_outbox: Make) -> None:
    observed: list[tuple[float, str | None]] = []
    outbox = make_outbox(ScriptedSender(Retry("timeout"), Accepted(), Refused("HTTP 400")), QUICK.replace(batch_size=1))
    outbox.observe_duration = lambda seconds, error: observed.append((seconds, error))
    put_all(outbox, "a", "b")
    outbox.flush(5)
    assert [error for _, error in observed] == [None, "HTTP 400"]


def test_a_signal_handler_may_close_while_its_thread_is_putting(make_outbox: Make) -> None:
    sender = ScriptedSender()
    outbox = make_outbox(sender, QUICK.replace(batch_size=1))
    ended: list[int] = []

    def trace(_frame: Any, event: str, _argument: Any) -> Any:
        # As a signal would: between two lines inside `ring`, in the thread that is there.
        if event == "call" and _frame.f_code.co_name == "ring" and not ended:
            ended.append(outbox.close(1).left)
        return None

    sys.settrace(trace)
    try:
        outbox.put("a")
    finally:
        sys.settrace(None)
    assert ended == [0]
    assert sender.delivered == ["a"]


def test_a_forked_child_starts_empty_and_delivers_its_own(make_outbox: Make) -> None:
    sender = ScriptedSender()
    sender.gate.clear()
    outbox = make_outbox(sender, QUICK.replace(batch_size=2))
    put_all(outbox, "parent", "parent", "parent")
    assert sender.entered.wait(5)
    program = """
import os, sys
from mita_otel.export import Outbox
from tests.unit.export.conftest import QUICK, ScriptedSender, encode
from dataclasses import replace
sender = ScriptedSender()
sender.gate.clear()
outbox = Outbox(signal="traces", encode=encode, sender=sender, pace=QUICK.replace(batch_size=2))
for _ in range(3): outbox.put("parent")
sender.entered.wait(5)
child = os.fork()
if child == 0:
    sender.gate = __import__("threading").Event(); sender.gate.set()
    sender.delivered.clear()
    outbox.put("child")
    good = outbox.flush(5) and sender.delivered == ["child"] and outbox.statistics().entered == 1
    os._exit(0 if good else 1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sender.gate.set()
good = outbox.flush(5) and sender.delivered == ["parent"] * 3
sys.exit(status or (0 if good else 2))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], timeout=30, check=False, env={**os.environ, "PYTHONPATH": "."}
    )
    assert done.returncode == 0


def test_an_exit_handler_may_flush_and_close() -> None:
    program = """
import atexit
from mita_otel.export import Outbox
from tests.unit.export.conftest import QUICK, ScriptedSender, encode
sender = ScriptedSender()
outbox = Outbox(signal="traces", encode=encode, sender=sender, pace=QUICK)
atexit.register(lambda: print(outbox.close(5).left, sender.delivered))
outbox.put("last")
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        timeout=30,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert (done.stdout, done.stderr) == ("0 ['last']\n", "")


def test_encoding_happens_in_slices(make_outbox: Make) -> None:
    sizes: list[int] = []

    def measure(items: list[str]) -> bytes:
        sizes.append(len(items))
        return encode(items)

    outbox = make_outbox(ScriptedSender(), QUICK.replace(schedule_delay=60), encode=measure)
    put_all(outbox, *["x"] * 500)
    outbox.flush(5)
    assert max(sizes) <= 64
