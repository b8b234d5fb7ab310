"""Spans of ours on their way out: masked, encoded once, in short turns, through forks, faults and exits."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits

from mita_otel.export import MaskingEncoder, OutboxSpanProcessor, Outcome, Refused, Retry
from mita_otel.export.recent import OVERHEAD, Recent
from mita_otel.export.turns import SLICE
from mita_otel.redaction import Keys, Policy
from mita_otel.traces.provider import Provider
from tests.unit.export.test_processors import PACE, Recorder

CARD = "4111 1111 1111 1111"
OWN_ID = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def provider(recorder: Recorder) -> Iterator[Provider]:
    made = Provider(resource=Resource({"service.name": "s"}))
    made.add_span_processor(OutboxSpanProcessor(recorder, encoder=MaskingEncoder(), pace=PACE))
    yield made
    made.shutdown()


def attributes_of(recorder: Recorder) -> list[dict[str, str]]:
    requests = [ExportTraceServiceRequest.FromString(payload) for payload in recorder.payloads]
    spans = [s for r in requests for b in r.resource_spans for c in b.scope_spans for s in c.spans]
    return [{pair.key: pair.value.string_value for pair in span.attributes} for span in spans]


def test_what_is_remembered_of_one_span_masks_no_less_of_the_next(provider: Provider, recorder: Recorder) -> None:
    tracer = provider.get_tracer("t")
    for text in ("clean", CARD, "clean", CARD):
        tracer.start_span("s", attributes={"note": text, "password": text}).end()
    assert provider.force_flush(5000)
    assert [span["note"] == "clean" for span in attributes_of(recorder)] == [True, False, True, False]
    assert {span["password"] for span in attributes_of(recorder)} == {"[REDACTED]"}
    assert CARD.encode() not in b"".join(recorder.payloads)


def test_a_statement_and_a_command_of_the_same_text_are_judged_apart(provider: Provider, recorder: Recorder) -> None:
    tracer = provider.get_tracer("t")
    text = "GET 'a'"
    for system in ("postgresql", "redis", "postgresql", "redis"):
        tracer.start_span("s", attributes={"db.system.name": system, "db.query.text": text}).end()
    assert provider.force_flush(5000)
    assert [span["db.query.text"] for span in attributes_of(recorder)] == ["GET ?", text, "GET ?", text]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [(Keys(), OWN_ID), (Keys().with_words("correlation"), "[REDACTED]")],
    ids=["by the usual policy", "by a policy that hides it"],
)
def test_an_id_of_our_own_making_leaves_as_the_policy_says(recorder: Recorder, keys: Keys, expected: str) -> None:
    made = Provider(resource=Resource({"service.name": "s"}))
    made.add_span_processor(OutboxSpanProcessor(recorder, encoder=MaskingEncoder(Policy(keys)), pace=PACE))
    for given in (OWN_ID, CARD):
        made.get_tracer("t").start_span("s", attributes={"correlation_id": given}).end()
    made.shutdown()
    assert [span["correlation_id"] for span in attributes_of(recorder)] == [expected, "[REDACTED]"]


def test_two_names_that_are_masked_to_one_are_one_attribute(provider: Provider, recorder: Recorder) -> None:
    attributes = {f"card {CARD}": "first", "card 5555 5555 5555 4444": "second"}
    provider.get_tracer("t").start_span("s", attributes=attributes).end()
    assert provider.force_flush(5000)
    (names,) = attributes_of(recorder)
    assert len(names) == 1
    assert "1111" not in next(iter(names))


def test_a_span_whose_masking_fails_keeps_its_ids_and_says_so(recorder: Recorder) -> None:
    class Unwell(MaskingEncoder):
        def _attributes(self, given: Any) -> Any:
            raise RuntimeError("cannot be judged")

    provider = Provider(resource=Resource({}))
    provider.add_span_processor(OutboxSpanProcessor(recorder, encoder=Unwell(), pace=PACE))
    span = provider.get_tracer("t").start_span("secret name", attributes={"note": CARD})
    span.end()
    assert provider.force_flush(5000)
    assert recorder.span_names == ["[REDACTED]"]
    assert [list(found) for found in attributes_of(recorder)] == [["mita.redaction.failed"]]
    assert b"secret" not in recorder.payloads[0]
    provider.shutdown()


def test_a_name_that_is_no_text_costs_the_span_what_it_says_and_its_neighbours_nothing(
    provider: Provider, recorder: Recorder
) -> None:
    for name in ("a", "\ud800", "b"):
        provider.get_tracer("t").start_span(name).end()
    assert provider.force_flush(5000)
    assert recorder.span_names == ["a", "[REDACTED]", "b"]


def test_a_status_or_an_event_that_is_no_text_costs_what_the_span_says_not_the_span(
    provider: Provider, recorder: Recorder
) -> None:
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("status") as span:
        span.set_status(trace.StatusCode.ERROR, "\ud800")
    with tracer.start_as_current_span("event") as span:
        span.add_event("\ud800")
    assert provider.force_flush(5000)
    assert recorder.span_names == ["[REDACTED]", "[REDACTED]"]


def test_a_batch_that_is_refused_is_halved(recorder: Recorder) -> None:
    class Fussy(Recorder):
        def send(self, payload: bytes, timeout: float) -> Outcome:
            return Refused("HTTP 400", divisible=True) if b"malformed" in payload else super().send(payload, timeout)

    fussy = Fussy(Retry("HTTP 503", 0.01))
    provider = Provider(resource=Resource({}))
    provider.add_span_processor(OutboxSpanProcessor(fussy, encoder=MaskingEncoder(), pace=PACE))
    names = [f"span {number}" for number in range(100)]
    for name in (*names[:50], "malformed", *names[50:]):
        provider.get_tracer("t").start_span(name).end()
    assert not provider.force_flush(5000)
    assert fussy.span_names[-100:] == names
    provider.shutdown()


def test_no_turn_is_longer_than_two_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long texts that are all different are the worst that can come; the CPU of this thread is what counts."""
    turns: list[int] = []
    began = time.thread_time_ns()

    def hand_over(_seconds: float) -> None:
        nonlocal began
        turns.append(time.thread_time_ns() - began)
        began = time.thread_time_ns()

    monkeypatch.setattr("mita_otel.export.turns.time.sleep", hand_over)
    tracer = Provider(resource=Resource({})).get_tracer("t")
    spans = [
        tracer.start_span("s", attributes={f"text.{part}": f"{number} {part} " + "word " * 400 for part in range(20)})
        for number in range(50)
    ]
    began = time.thread_time_ns()
    MaskingEncoder().payload(cast("list[ReadableSpan]", spans))
    assert len(turns) > 10
    assert sorted(turns)[len(turns) * 9 // 10] < 2_000_000
    assert SLICE < 1_000_000


def test_a_span_that_may_keep_neither_event_nor_link_says_how_many_it_has_dropped() -> None:
    provider = Provider(resource=Resource({}), span_limits=SpanLimits(max_events=0, max_links=0))
    tracer = provider.get_tracer("t")
    linked = trace.Link(tracer.start_span("other").get_span_context())
    span = tracer.start_span("s", links=[linked, linked])
    span.add_event("e")
    payload = MaskingEncoder().payload(cast("list[ReadableSpan]", [span]))
    [of_resource] = ExportTraceServiceRequest.FromString(payload).resource_spans
    [encoded] = of_resource.scope_spans[0].spans
    assert (encoded.dropped_events_count, encoded.dropped_links_count) == (1, 2)


def test_a_turn_ends_between_the_events_of_a_span(monkeypatch: pytest.MonkeyPatch) -> None:
    handed_over: list[float] = []
    monkeypatch.setattr("mita_otel.export.turns.time.sleep", handed_over.append)
    span = Provider(resource=Resource({})).get_tracer("t").start_span("s")
    for number in range(128):
        span.add_event("e", {"text": f"{number} " + "word " * 1_600})
    MaskingEncoder().payload(cast("list[ReadableSpan]", [span]))
    assert len(handed_over) > 10


def test_a_turn_ends_between_spans_too(monkeypatch: pytest.MonkeyPatch) -> None:
    handed_over: list[float] = []
    monkeypatch.setattr("mita_otel.export.turns.time.sleep", handed_over.append)
    tracer = Provider(resource=Resource({})).get_tracer("t")
    spans = [tracer.start_span("s") for _ in range(5000)]
    MaskingEncoder().payload(cast("list[ReadableSpan]", spans))
    assert len(handed_over) > 5


FORKING = """
import os, sys
from opentelemetry.sdk.resources import Resource
from mita_otel.export import MaskingEncoder, OutboxSpanProcessor
from mita_otel.traces.provider import Provider
from tests.unit.export.test_processors import PACE, Recorder
recorder = Recorder()
provider = Provider(resource=Resource({"service.name": "s"}))
provider.add_span_processor(OutboxSpanProcessor(recorder, encoder=MaskingEncoder(), pace=PACE))
tracer = provider.get_tracer("t")
for _ in range(3): tracer.start_span("parent").end()
open_span = tracer.start_span("open")
child = os.fork()
if child == 0:
    with tracer.start_as_current_span("child"): pass
    open_span.end()
    good = provider.force_flush(5000) and recorder.span_names == ["child", "open"]
    ids = {span.get_span_context().span_id for span in [tracer.start_span("x")]}
    os._exit(0 if good else 1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
good = provider.force_flush(5000) and recorder.span_names == ["parent"] * 3
sys.exit(status or (0 if good else 2))
"""

EXITING = """
import atexit
from opentelemetry.sdk.resources import Resource
from mita_otel.export import MaskingEncoder, OutboxSpanProcessor
from mita_otel.traces.provider import Provider
from tests.unit.export.test_processors import PACE, Recorder
from dataclasses import replace
recorder = Recorder()
provider = Provider(resource=Resource({"service.name": "s"}))
outbox = OutboxSpanProcessor(recorder, encoder=MaskingEncoder(), pace=PACE.replace(batch_size=8000))
provider.add_span_processor(outbox)
atexit.register(lambda: print(outbox.close(5).left, len(recorder.span_names)))
tracer = provider.get_tracer("t")
for number in range(8000): tracer.start_span(f"span {number}").end()
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": "."}
    return subprocess.run(
        [sys.executable, "-c", program], timeout=60, check=False, capture_output=True, text=True, env=environment
    )


def test_a_fork_in_the_middle_of_a_batch_leaves_each_process_its_own_spans() -> None:
    done = run(FORKING)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_exit_while_spans_are_encoded_loses_none() -> None:
    done = run(EXITING)
    assert (done.stdout, done.stderr) == ("0 8000\n", "")


def test_what_was_not_asked_for_in_two_generations_is_forgotten() -> None:
    recent: Recent[str] = Recent(10 * (OVERHEAD + 1))
    for number in range(100):
        if recent.young.get("often") is None and recent.find("often") is None:
            recent.keep("often", b"o")
        recent.keep(f"once {number}", b"x")
    assert len(recent.young) <= 10
    assert recent.young.get("often") or recent.find("often")
    assert recent.find("once 0") is None
