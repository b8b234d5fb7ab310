"""W3C Trace Context over the wire: a request comes in with these headers, the service calls back, and with what?

The keys are the names of the cases in the specification's own suite (as of June 2026, strict, level 2); the requests
and what is expected are put in our words. The propagator alone is asked in tests/unit/traces.
"""

import http.client
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mita_otel.traces.propagation import parse
from tests.fixtures.polling import find_free_port
from tests.fixtures.service import services
from tests.integration.service.conftest import APPLICATION

TRACE_ID = "12345678901234567890123456789012"
PARENT_ID = "1234567890123456"
VALID = f"00-{TRACE_ID}-{PARENT_ID}-01"
UNSAMPLED = f"00-{TRACE_ID}-{PARENT_ID}-00"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_-*/"
VALUE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in ",=")
FUTURE = "what-the-future-brings"


@dataclass(frozen=True)
class Probe:
    """One request and what the call made while it is served must carry.

    Attributes:
        headers: what is sent.
        continued: whether the trace goes on, or a new one begins.
        members: what is in the call's tracestate, in this order.
    """

    headers: Sequence[tuple[str, str]]
    continued: bool
    members: Sequence[str] = field(default=())


def parents(*values: str, continued: bool) -> list[Probe]:
    """Probes of one `traceparent` each."""
    return [Probe([("traceparent", value)], continued) for value in values]


def states(*values: str, members: Sequence[str] = ()) -> Probe:
    """One valid `traceparent` with these `tracestate` headers."""
    return Probe(
        [("traceparent", UNSAMPLED), *(("tracestate", value) for value in values)], continued=True, members=members
    )


def _numbered(*ranges: range) -> list[str]:
    return [",".join(f"bar{number:02}={number:02}" for number in numbers) for numbers in ranges]


TENS = (range(1, 11), range(11, 21), range(21, 31))
THREE = ["foo=1", "bar=2", "baz=3"]

CASES: dict[str, list[Probe]] = {
    "both_traceparent_and_tracestate_missing": [Probe([], continued=False)],
    "traceparent_included_tracestate_missing": parents(VALID, continued=True),
    "traceparent_duplicated": [
        Probe([("traceparent", VALID.replace("9012-", "9011-")), ("traceparent", VALID)], continued=False)
    ],
    "traceparent_header_name": [
        Probe([("trace-parent", VALID)], continued=False),
        Probe([("trace.parent", VALID)], continued=False),
    ],
    "traceparent_header_name_valid_casing": [
        Probe([(name, VALID)], continued=True) for name in ("TraceParent", "TrAcEpArEnT", "TRACEPARENT")
    ],
    "traceparent_version_0x00": parents(f"{VALID}.", f"{VALID}-{FUTURE}", continued=False),
    "traceparent_version_0xcc": [
        *parents(f"cc{VALID[2:]}", f"cc{VALID[2:]}-{FUTURE}", continued=True),
        *parents(f"cc{VALID[2:]}.{FUTURE}", continued=False),
    ],
    "traceparent_version_0xff": parents(f"ff{VALID[2:]}", continued=False),
    "traceparent_version_illegal_characters": parents(f".0{VALID[2:]}", f"0.{VALID[2:]}", continued=False),
    "traceparent_version_too_long": parents(f"000{VALID[2:]}", f"0000{VALID[2:]}", continued=False),
    "traceparent_version_too_short": parents(f"0{VALID[2:]}", continued=False),
    "traceparent_trace_id_all_zero": parents(f"00-{'0' * 32}-{PARENT_ID}-01", continued=False),
    "traceparent_trace_id_illegal_characters": parents(
        f"00-.{TRACE_ID[1:]}-{PARENT_ID}-01", f"00-{TRACE_ID[:-1]}.-{PARENT_ID}-01", continued=False
    ),
    "traceparent_trace_id_too_long": parents(f"00-{TRACE_ID}3-{PARENT_ID}-01", continued=False),
    "traceparent_trace_id_too_short": parents(f"00-{TRACE_ID[:-1]}-{PARENT_ID}-01", continued=False),
    "traceparent_parent_id_all_zero": parents(f"00-{TRACE_ID}-{'0' * 16}-01", continued=False),
    "traceparent_parent_id_illegal_characters": parents(
        f"00-{TRACE_ID}-.{PARENT_ID[1:]}-01", f"00-{TRACE_ID}-{PARENT_ID[:-1]}.-01", continued=False
    ),
    "traceparent_parent_id_too_long": parents(f"00-{TRACE_ID}-{PARENT_ID}7-01", continued=False),
    "traceparent_parent_id_too_short": parents(f"00-{TRACE_ID}-{PARENT_ID[:-1]}-01", continued=False),
    "traceparent_trace_flags_illegal_characters": parents(f"{VALID[:-2]}.0", f"{VALID[:-2]}0.", continued=False),
    "traceparent_trace_flags_too_long": parents(f"{VALID[:-2]}001", continued=False),
    "traceparent_trace_flags_too_short": parents(f"{VALID[:-2]}1", continued=False),
    "traceparent_ows_handling": parents(
        f" {VALID}", f"\t{VALID}", f"{VALID} ", f"{VALID}\t", f"\t {VALID} \t", continued=True
    ),
    "tracestate_included_traceparent_missing": [
        Probe([("tracestate", "foo=1")], continued=False),
        Probe([("tracestate", "foo=1,bar=2")], continued=False),
    ],
    "tracestate_included_traceparent_included": [states("foo=1,bar=2", members=["foo=1", "bar=2"])],
    "tracestate_header_name": [
        Probe([("traceparent", UNSAMPLED), (name, "foo=1")], continued=True) for name in ("trace-state", "trace.state")
    ],
    "tracestate_header_name_valid_casing": [
        Probe([("traceparent", UNSAMPLED), (name, "foo=1")], continued=True, members=["foo=1"])
        for name in ("TraceState", "TrAcEsTaTe", "TRACESTATE")
    ],
    "tracestate_empty_header": [
        states(""),
        states("foo=1", "", members=["foo=1"]),
        states("", "foo=1", members=["foo=1"]),
    ],
    "tracestate_multiple_headers_different_keys": [
        states("foo=1,bar=2", "rojo=1,congo=2", "baz=3", members=["foo=1", "bar=2", "rojo=1", "congo=2", "baz=3"])
    ],
    # Kept or discarded, the suite allows both: of one key the left-most member is the most recent, and kept.
    "tracestate_duplicated_keys": [
        states(*headers, members=["foo=1"])
        for headers in (["foo=1,foo=1"], ["foo=1,foo=2"], ["foo=1", "foo=1"], ["foo=1", "foo=2"])
    ],
    "tracestate_all_allowed_characters": [
        states(f"{key}={VALUE}", members=[f"{key}={VALUE}"]) for key in (LETTERS, f"{LETTERS}@a-z0-9_-*/")
    ],
    "tracestate_ows_handling": [
        states("foo=1 \t , \t bar=2, \t baz=3", members=THREE),
        states("foo=1\t \t,\t \tbar=2,\t \tbaz=3", members=THREE),
        *(states(value, members=["foo=1"]) for value in (" foo=1", "\tfoo=1", "foo=1 ", "foo=1\t", "\t foo=1 \t")),
    ],
    "tracestate_key_illegal_characters": [states("foo =1"), states("FOO=1"), states("foo.bar=1")],
    # Level 2 gives the at sign no meaning of its own, but no key may begin with it.
    "tracestate_key_illegal_vendor_format": [
        states("@foo=1,bar=2"),
        *(states(f"{key}=1,bar=2", members=[f"{key}=1", "bar=2"]) for key in ("foo@", "foo@@bar", "foo@bar@baz")),
    ],
    "tracestate_member_count_limit": [
        states(*_numbered(*TENS, range(31, 33)), members=",".join(_numbered(range(1, 33))).split(",")),
        states(*_numbered(*TENS, range(31, 34))),
    ],
    "tracestate_key_length_limit": [
        states("foo=1", f"{'z' * 257}=1"),
        *(
            states("foo=1", f"{key}=1", members=["foo=1", f"{key}=1"])
            for key in ("z" * 256, f"{'t' * 241}@{'v' * 14}", f"{'t' * 242}@v", f"t@{'v' * 15}")
        ),
    ],
    "tracestate_value_illegal_characters": [states("foo=bar=baz"), states("foo=,bar=3")],
}


class _Callbacks:
    """Writes down the headers of every call; answers on a port of its own."""

    def __init__(self) -> None:
        self.received: list[list[tuple[str, str]]] = []
        callbacks = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                callbacks.received.append(self.headers.items())
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass(frozen=True)
class Harness:
    """The service under test, and where it calls back."""

    port: int
    callbacks: _Callbacks

    def ask(self, headers: Sequence[tuple[str, str]], times: int = 1) -> list[tuple[str, str | None]]:
        """Send a request; return `traceparent` and `tracestate` of each call that was made while it was served."""
        self.callbacks.received.clear()
        body = json.dumps([self.callbacks.url] * times)
        # Not a client with ideas of its own about names, order and white space.
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest("POST", "/call")
        for name, value in (*headers, ("content-type", "application/json"), ("content-length", str(len(body)))):
            connection.putheader(name, value)
        connection.endheaders(body.encode())
        assert connection.getresponse().status == 200
        connection.close()
        assert len(self.callbacks.received) == times
        return [self._context(received) for received in self.callbacks.received]

    def _context(self, received: Sequence[tuple[str, str]]) -> tuple[str, str | None]:
        (traceparent,) = (value for name, value in received if name.lower() == "traceparent")
        tracestates = [value for name, value in received if name.lower() == "tracestate"]
        return traceparent, ",".join(tracestates) or None


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    port, callbacks = find_free_port(), _Callbacks()
    exporters = dict.fromkeys(("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"), "none")
    command = ["opentelemetry-instrument", "uvicorn", APPLICATION, "--port", str(port)]
    with services(tmp_path_factory.mktemp("trace-context")) as start:
        start(command, {**exporters, "MITA_STRICT": "1", "PYTHONPATH": "."}, url=f"http://127.0.0.1:{port}/health")
        yield Harness(port, callbacks)
    callbacks.close()


@pytest.mark.parametrize("case", CASES)
def test_what_the_specifications_suite_expects_is_what_is_sent_on(harness: Harness, case: str) -> None:
    for probe in CASES[case]:
        ((traceparent, tracestate),) = harness.ask(probe.headers)
        sent = parse(traceparent)
        assert sent is not None, probe
        given = {value.strip().split("-")[1] for name, value in probe.headers if "parent" in name.lower()}
        assert (f"{sent.trace_id:032x}" in given) is probe.continued, probe
        assert f"{sent.span_id:016x}" != PARENT_ID, probe
        assert tracestate == (",".join(probe.members) or None), probe


def test_all_calls_made_for_one_request_are_of_its_trace_and_each_has_its_own_parent_id(harness: Harness) -> None:
    """The suite's `multiple_requests_with_valid_traceparent`."""
    assert _ids(harness.ask([("traceparent", VALID)], 3)) == ({TRACE_ID}, 3)


def test_calls_made_for_a_request_without_a_trace_have_each_their_own_parent_id(harness: Harness) -> None:
    """The suite's `multiple_requests_without_traceparent`."""
    traces, parent_ids = _ids(harness.ask([], 3))
    assert (len(traces), parent_ids) == (1, 3)


def test_calls_made_for_a_request_with_an_illegal_trace_are_of_a_new_one(harness: Harness) -> None:
    """The suite's `multiple_requests_with_illegal_traceparent`."""
    traces, parent_ids = _ids(harness.ask([("traceparent", f"00-{'0' * 32}-{PARENT_ID}-01")], 3))
    assert traces.isdisjoint({"0" * 32, TRACE_ID})
    assert (len(traces), parent_ids) == (1, 3)


@pytest.mark.parametrize("flags", ["02", "03"])
def test_the_random_flag_is_sent_on(harness: Harness, flags: str) -> None:
    """The suite's `propagates_random_flag`, of level 2; with the sampled flag, too."""
    ((traceparent, _),) = harness.ask([("traceparent", f"{VALID[:-2]}{flags}")])
    assert traceparent.split("-")[1] == TRACE_ID
    assert traceparent.split("-")[2] != PARENT_ID
    assert traceparent.split("-")[3] == flags


def test_a_trace_that_is_not_said_to_be_random_is_not_said_to_be(harness: Harness) -> None:
    ((traceparent, _),) = harness.ask([("traceparent", VALID)])
    assert traceparent.endswith("-01")


def test_a_new_trace_is_said_to_be_random(harness: Harness) -> None:
    """Level 2: whoever makes a random trace id sets the flag."""
    ((traceparent, _),) = harness.ask([])
    assert int(traceparent.split("-")[3], 16) & 2


def _ids(sent: Sequence[tuple[str, str | None]]) -> tuple[set[str], int]:
    """Return the trace ids, and how many different parent ids there are."""
    parts = [traceparent.split("-") for traceparent, _ in sent]
    return {part[1] for part in parts}, len({part[2] for part in parts})
