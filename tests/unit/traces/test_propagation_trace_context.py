"""W3C Trace Context: the cases of the specification's test suite, levels 1 and 2, and properties of the parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from mita_otel.traces.propagation import (
    LARGE_MEMBER,
    MAX_TRACESTATE_LENGTH,
    LevelTwoTraceState,
    TraceContextPropagator,
    parse,
    parse_tracestate,
    traceresponse,
)

Headers = list[tuple[str, str]]
TRACE_ID = "12345678901234567890123456789012"
PARENT_ID = "1234567890123456"
VALID = f"00-{TRACE_ID}-{PARENT_ID}-01"


class _Headers(Getter[Headers]):
    """Reads a list of headers as a server does: names in any case, every occurrence."""

    def get(self, carrier: Headers, key: str) -> list[str] | None:
        return [value for name, value in carrier if name.lower() == key] or None

    def keys(self, carrier: Headers) -> list[str]:
        return [name for name, _ in carrier]


def extracted(*headers: tuple[str, str]) -> SpanContext:
    context = TraceContextPropagator().extract(list(headers), Context(), _Headers())
    return trace.get_current_span(context).get_span_context()


def state(*tracestates: str) -> dict[str, str]:
    headers = [("tracestate", value) for value in tracestates]
    span_context = extracted(("traceparent", VALID), *headers)
    assert span_context.trace_id == int(TRACE_ID, 16)
    return dict(span_context.trace_state)


def forwarded(*headers: tuple[str, str]) -> dict[str, str]:
    """Serve a request with these headers and return what a call made while serving it carries."""
    propagator = TraceContextPropagator()
    context = propagator.extract(list(headers), Context(), _Headers())
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    span = tracer.start_span("serve", context)
    carrier: dict[str, str] = {}
    propagator.inject(carrier, trace.set_span_in_context(span, context))
    span.end()
    return carrier


def test_without_headers_a_new_trace_is_started() -> None:
    assert parse(forwarded()["traceparent"]) is not None


def test_the_trace_id_is_kept_and_the_parent_id_is_new() -> None:
    sent = parse(forwarded(("traceparent", VALID))["traceparent"])

    assert sent is not None
    assert sent.trace_id == int(TRACE_ID, 16)
    assert sent.span_id != int(PARENT_ID, 16)


def test_each_call_made_while_serving_has_its_own_parent_id() -> None:
    sent = {forwarded(("traceparent", VALID))["traceparent"] for _ in range(3)}

    assert len(sent) == 3


def test_two_traceparent_headers_start_a_new_trace() -> None:
    assert not extracted(("traceparent", VALID), ("traceparent", VALID.replace("9012-", "9011-"))).is_valid


def test_the_same_traceparent_twice_starts_a_new_trace() -> None:
    assert not extracted(("traceparent", VALID), ("traceparent", VALID)).is_valid


@pytest.mark.parametrize("name", ["trace-parent", "trace.parent", "traceparent2"])
def test_a_header_with_another_name_is_not_a_traceparent(name: str) -> None:
    assert not extracted((name, VALID)).is_valid


@pytest.mark.parametrize("name", ["TraceParent", "TrAcEpArEnT", "TRACEPARENT"])
def test_the_name_of_the_header_may_have_any_case(name: str) -> None:
    assert extracted((name, VALID)).is_valid


@pytest.mark.parametrize(
    "traceparent",
    [
        pytest.param("", id="empty"),
        pytest.param(f"{VALID}.", id="version 00 with a character more"),
        pytest.param(f"{VALID}-", id="version 00 with an empty part more"),
        pytest.param(f"{VALID}-what-the-future-brings", id="version 00 with parts more"),
        pytest.param(f"cc-{TRACE_ID}-{PARENT_ID}-01.what", id="a future version whose flags are too long"),
        pytest.param(f"ff-{TRACE_ID}-{PARENT_ID}-01", id="version ff"),
        pytest.param(f"ff-{TRACE_ID}-{PARENT_ID}-01-more", id="version ff with parts more"),
        pytest.param(f".0-{TRACE_ID}-{PARENT_ID}-01", id="illegal character first in version"),
        pytest.param(f"0.-{TRACE_ID}-{PARENT_ID}-01", id="illegal character last in version"),
        pytest.param(f"000-{TRACE_ID}-{PARENT_ID}-01", id="version too long by one"),
        pytest.param(f"0000-{TRACE_ID}-{PARENT_ID}-01", id="version too long by two"),
        pytest.param(f"0-{TRACE_ID}-{PARENT_ID}-01", id="version too short"),
        pytest.param(f"00-{'0' * 32}-{PARENT_ID}-01", id="trace id of zeros"),
        pytest.param(f"00-.{TRACE_ID[1:]}-{PARENT_ID}-01", id="illegal character first in trace id"),
        pytest.param(f"00-{TRACE_ID[:-1]}.-{PARENT_ID}-01", id="illegal character last in trace id"),
        pytest.param(f"00-{'ABCDEF' + TRACE_ID[6:]}-{PARENT_ID}-01", id="upper case in trace id"),
        pytest.param(f"00-{TRACE_ID}3-{PARENT_ID}-01", id="trace id too long"),
        pytest.param(f"00-{TRACE_ID[:-1]}-{PARENT_ID}-01", id="trace id too short"),
        pytest.param(f"00-{TRACE_ID}-{'0' * 16}-01", id="parent id of zeros"),
        pytest.param(f"00-{TRACE_ID}-.{PARENT_ID[1:]}-01", id="illegal character first in parent id"),
        pytest.param(f"00-{TRACE_ID}-{PARENT_ID[:-1]}.-01", id="illegal character last in parent id"),
        pytest.param(f"00-{TRACE_ID}-{'ABCDEF' + PARENT_ID[6:]}-01", id="upper case in parent id"),
        pytest.param(f"00-{TRACE_ID}-{PARENT_ID}7-01", id="parent id too long"),
        pytest.param(f"00-{TRACE_ID}-{PARENT_ID[:-1]}-01", id="parent id too short"),
        pytest.param(f"00-{TRACE_ID}-{PARENT_ID}-.0", id="illegal character first in flags"),
        pytest.param(f"00-{TRACE_ID}-{PARENT_ID}-0.", id="illegal character last in flags"),
        pytest.param(f"00-{TRACE_ID}-{PARENT_ID}-0A", id="upper case in flags"),
        pytest.param(f"00-{TRACE_ID}-{PARENT_ID}-001", id="flags too long"),
        pytest.param(f"00-{TRACE_ID}-{PARENT_ID}-1", id="flags too short"),
        pytest.param(f"00-{TRACE_ID}-{PARENT_ID}", id="no flags"),
        pytest.param(f"{VALID},{VALID}", id="two in one header"),
        pytest.param(f"{VALID}\n", id="newline at the end"),
        pytest.param(f"\u0661{VALID[1:]}", id="digit that is not ASCII"),
    ],
)
def test_an_invalid_traceparent_starts_a_new_trace(traceparent: str) -> None:
    assert not extracted(("traceparent", traceparent), ("tracestate", "foo=1")).is_valid


@pytest.mark.parametrize("rest", ["", "-", "-what-the-future-brings"])
def test_a_future_version_is_read_and_sent_on_as_version_00(rest: str) -> None:
    sent = forwarded(("traceparent", f"cc-{TRACE_ID}-{PARENT_ID}-01{rest}"))["traceparent"]

    assert sent.startswith(f"00-{TRACE_ID}-")
    assert len(sent) == len(VALID)


@pytest.mark.parametrize("padded", [f" {VALID}", f"\t{VALID}", f"{VALID} ", f"{VALID}\t", f"\t {VALID} \t"])
def test_white_space_around_traceparent_is_ignored(padded: str) -> None:
    assert extracted(("traceparent", padded)).trace_id == int(TRACE_ID, 16)


@pytest.mark.parametrize(("received", "kept"), [("00", 0), ("01", 1), ("02", 2), ("03", 3), ("ff", 3), ("fc", 0)])
def test_sampled_and_random_are_kept_and_unknown_flags_cleared(received: str, kept: int) -> None:
    assert extracted(("traceparent", f"00-{TRACE_ID}-{PARENT_ID}-{received}")).trace_flags == kept


@pytest.mark.parametrize("flags", ["00", "01", "02", "03"])
def test_the_random_and_the_sampled_flag_are_sent_on_as_they_came(flags: str) -> None:
    assert forwarded(("traceparent", f"00-{TRACE_ID}-{PARENT_ID}-{flags}"))["traceparent"].endswith(f"-{flags}")


def test_a_new_trace_is_said_to_be_random() -> None:
    assert int(forwarded()["traceparent"][-2:], 16) & TraceFlags.RANDOM_TRACE_ID


def test_tracestate_without_traceparent_is_discarded() -> None:
    assert "tracestate" not in forwarded(("tracestate", "foo=1,bar=2"))


def test_tracestate_is_inherited_with_a_valid_traceparent() -> None:
    sent = forwarded(("traceparent", VALID), ("tracestate", "foo=1,bar=2"))

    assert sent["tracestate"] == "foo=1,bar=2"


@pytest.mark.parametrize("name", ["trace-state", "trace.state"])
def test_a_header_with_another_name_is_not_a_tracestate(name: str) -> None:
    assert dict(extracted(("traceparent", VALID), (name, "foo=1")).trace_state) == {}


@pytest.mark.parametrize("name", ["TraceState", "TrAcEsTaTe", "TRACESTATE"])
def test_the_name_of_tracestate_may_have_any_case(name: str) -> None:
    assert dict(extracted(("traceparent", VALID), (name, "foo=1")).trace_state) == {"foo": "1"}


def test_an_empty_tracestate_is_accepted_and_not_sent_on() -> None:
    assert "tracestate" not in forwarded(("traceparent", VALID), ("tracestate", ""))


@pytest.mark.parametrize("tracestates", [("foo=1", ""), ("", "foo=1"), ("foo=1,",), (",foo=1",), ("foo=1, \t,,",)])
def test_empty_members_are_ignored(tracestates: tuple[str, ...]) -> None:
    assert state(*tracestates) == {"foo": "1"}


def test_several_tracestate_headers_are_combined_in_order() -> None:
    sent = forwarded(
        ("traceparent", VALID), ("tracestate", "foo=1,bar=2"), ("tracestate", "rojo=1,congo=2"), ("tracestate", "baz=3")
    )

    assert sent["tracestate"] == "foo=1,bar=2,rojo=1,congo=2,baz=3"


@pytest.mark.parametrize("tracestates", [("foo=1,foo=1",), ("foo=1,foo=2",), ("foo=1", "foo=1"), ("foo=1", "foo=2")])
def test_of_members_with_one_key_the_most_recent_is_kept(tracestates: tuple[str, ...]) -> None:
    assert state(*tracestates, "bar=3") == {"foo": "1", "bar": "3"}


LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_-*/"
VALUE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in ",=")


@pytest.mark.parametrize("key", [LETTERS, f"{LETTERS}@a-z0-9_-*/", "0foo", "1a-2f@foo"])
def test_every_allowed_character_is_inherited(key: str) -> None:
    assert state(f"{key}={VALUE}") == {key: VALUE}


@pytest.mark.parametrize(
    "tracestate",
    [
        "foo=1 \t , \t bar=2, \t baz=3",
        "foo=1\t \t,\t \tbar=2,\t \tbaz=3",
        " foo=1,bar=2,baz=3",
        "\tfoo=1,bar=2,baz=3\t",
        "\t foo=1,bar=2,baz=3 \t",
    ],
)
def test_white_space_around_members_is_ignored(tracestate: str) -> None:
    assert state(tracestate) == {"foo": "1", "bar": "2", "baz": "3"}


def test_leading_spaces_of_a_value_belong_to_it() -> None:
    assert state("foo=  1 ") == {"foo": "  1"}


@pytest.mark.parametrize(
    "member",
    [
        pytest.param("foo =1", id="space in key"),
        pytest.param("FOO=1", id="upper case in key"),
        pytest.param("foo.bar=1", id="dot in key"),
        pytest.param("@foo=1", id="key begins with an at sign"),
        pytest.param("_foo=1", id="key begins with an underscore"),
        pytest.param("=1", id="empty key"),
        pytest.param("foo", id="no equals sign"),
        pytest.param("foo=", id="empty value"),
        pytest.param("foo=1=2", id="equals sign in value"),
        pytest.param("foo=\x01", id="control character in value"),
        pytest.param("foo=\u00e9", id="value that is not ASCII"),
        pytest.param(f"{'z' * 257}=1", id="key too long"),
        pytest.param(f"foo={'1' * 257}", id="value too long"),
        pytest.param("foo=,baz=3", id="empty value before a valid member"),
        pytest.param("@foo=1,baz=3", id="key that begins with an at sign before a valid member"),
    ],
)
def test_one_invalid_member_discards_the_whole_tracestate_and_keeps_the_trace(member: str) -> None:
    assert state("bar=2", member) == {}


@pytest.mark.parametrize(
    "key",
    ["z" * 256, f"{'t' * 241}@{'v' * 14}", f"{'t' * 242}@v", f"t@{'v' * 15}", "foo@", "foo@@bar", "foo@bar@baz"],
)
def test_long_keys_and_keys_with_at_signs_are_inherited(key: str) -> None:
    """Level 2 gives the at sign no meaning of its own."""
    sent = forwarded(("traceparent", VALID), ("tracestate", "foo=1"), ("tracestate", f"{key}=1"))

    assert sent["tracestate"] == f"foo=1,{key}=1"


def test_32_members_are_inherited() -> None:
    members = ",".join(f"bar{number:02}={number:02}" for number in range(32))

    assert len(state(members)) == 32


def test_32_members_of_four_headers_are_inherited_in_their_order() -> None:
    members = [f"bar{number:02}={number:02}" for number in range(32)]
    headers = [("tracestate", ",".join(members[first : first + 10])) for first in range(0, 32, 10)]

    assert forwarded(("traceparent", VALID), *headers)["tracestate"] == ",".join(members)


def test_33_members_discard_the_whole_tracestate() -> None:
    members = [f"bar{number:02}={number:02}" for number in range(33)]

    assert state(",".join(members[:20]), ",".join(members[20:])) == {}


def test_512_characters_are_sent_on_unchanged() -> None:
    tracestate = f"foo={'1' * 250},bar={'2' * 253}"

    assert len(tracestate) == 512
    assert forwarded(("traceparent", VALID), ("tracestate", tracestate))["tracestate"] == tracestate


def test_a_list_too_long_loses_whole_large_members_from_its_end() -> None:
    small = [f"small{number}=1" for number in range(4)]
    large = [f"large{number:02}={'v' * 250}" + "v" * 6 for number in range(28)]
    wide = [f"wide{number:02}{'w' * 200}={'v' * 256}" for number in range(28)]

    kept = parse_tracestate([",".join([*wide[:28], *small])])

    assert len(parse_tracestate([",".join([*large, *small])])) == 32
    assert len(kept.to_header()) <= MAX_TRACESTATE_LENGTH
    assert [key for key in kept if key.startswith("small")] == ["small0", "small1", "small2", "small3"]
    assert [key[:6] for key in kept][:17] == [f"wide{number:02}" for number in range(17)]
    assert len(wide[0]) > LARGE_MEMBER


def test_a_changed_member_moves_to_the_front() -> None:
    changed = parse_tracestate(["foo=1,0bar=2"]).update("0bar", "3")

    assert changed.to_header() == "0bar=3,foo=1"


def test_a_member_added_to_a_full_list_pushes_out_the_last() -> None:
    full = LevelTwoTraceState([(f"k{number}", "v") for number in range(32)])

    grown = full.add("new", "1")

    assert next(iter(grown)) == "new"
    assert len(grown) == 32
    assert "k31" not in grown


def test_an_invalid_change_changes_nothing_and_a_member_can_be_deleted() -> None:
    before = parse_tracestate(["foo=1,bar=2"])

    assert before.update("FOO", "1") is before
    assert before.add("foo", "9") is before
    assert before.delete("foo").to_header() == "bar=2"


def test_nothing_is_sent_without_a_span() -> None:
    carrier: dict[str, str] = {}
    TraceContextPropagator().inject(carrier, Context())

    assert carrier == {}


def test_the_response_header_names_the_span() -> None:
    span_context = SpanContext(int(TRACE_ID, 16), int(PARENT_ID, 16), is_remote=False, trace_flags=TraceFlags(1))

    assert traceresponse(span_context) == VALID


@given(traceparent=st.text(), tracestates=st.lists(st.text(), max_size=4))
def test_no_text_makes_it_fail(traceparent: str, tracestates: list[str]) -> None:
    parse(traceparent, tracestates)
    parse(VALID, tracestates)


_KEYS = st.from_regex(r"[a-z0-9][a-z0-9_\-*/@]{0,40}", fullmatch=True)
_VALUES = st.from_regex(r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,40}[\x21-\x2b\x2d-\x3c\x3e-\x7e]", fullmatch=True)


@given(
    trace_id=st.integers(1, 2**128 - 1),
    span_id=st.integers(1, 2**64 - 1),
    flags=st.integers(0, 3),
    members=st.dictionaries(_KEYS, _VALUES, max_size=32),
)
def test_what_is_sent_is_what_is_received(trace_id: int, span_id: int, flags: int, members: dict[str, str]) -> None:
    sent = SpanContext(
        trace_id,
        span_id,
        is_remote=True,
        trace_flags=TraceFlags(flags),
        trace_state=LevelTwoTraceState(list(members.items())),
    )
    carrier: dict[str, str] = {}
    TraceContextPropagator().inject(carrier, trace.set_span_in_context(NonRecordingSpan(sent), Context()))

    assert extracted(*carrier.items()) == sent
    assert list(extracted(*carrier.items()).trace_state.items()) == list(members.items())
