"""What a log record becomes, on stdout and over OTLP, however odd it is."""

import dataclasses
import datetime as dt
import logging
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.sdk.trace import TracerProvider

from mita_otel import correlation
from mita_otel.logs.pipeline import MAX_BODY, MAX_VALUE, UNREADABLE, Redaction
from mita_otel.logs.severity import severity
from mita_otel.logs.values import MAX_ITEMS, Plain

logger = logging.getLogger("shop.orders")


class Broken:
    """Cannot be written."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


class BrokenError(Exception):
    """Cannot say what went wrong."""

    def __str__(self) -> str:
        raise RuntimeError("no")


def fail(error: Exception) -> None:
    raise error


@dataclasses.dataclass
class Order:
    number: int
    total: Decimal


def test_a_line_says_when_where_and_who(room: Any) -> None:
    logger.info("order %s", 7)

    [line] = room.lines
    assert dt.datetime.fromisoformat(line["timestamp"]).utcoffset() == dt.timedelta(0)
    assert len(line["timestamp"]) == len("2026-01-01T00:00:00.000000Z")
    assert line["message"] == "order 7"
    assert line["level"] == "INFO"
    assert line["logger"] == "shop.orders"
    assert line["module"] == "test_entries"
    assert line["function"] == "test_a_line_says_when_where_and_who"
    assert isinstance(line["line"], int)
    assert line["thread.name"] == threading.current_thread().name
    assert isinstance(line["process.pid"], int)
    assert line["service.name"] == "shop"
    assert line["service.version"] == "1.2"
    assert "host.name" not in line


def test_the_same_record_goes_out_over_otlp(room: Any) -> None:
    logger.warning("order %s", 7, extra={"order": {"number": 7}})

    [record] = room.exported
    assert record.body == "order 7"
    assert record.severity_number is SeverityNumber.WARN
    assert record.severity_text == "WARN"
    assert record.attributes["order"] == {"number": 7}
    assert record.attributes["code.function.name"] == "test_the_same_record_goes_out_over_otlp"
    assert record.attributes["code.file.path"].endswith("test_entries.py")
    assert record.attributes["code.line.number"] > 0
    assert room.exporter.get_finished_logs()[0].instrumentation_scope.name == "shop.orders"


def test_the_request_is_named_in_both(room: Any) -> None:
    span = TracerProvider(shutdown_on_exit=False).get_tracer("test").start_span("serve")
    token = correlation.bind("order-7")
    with trace.use_span(span, end_on_exit=True):
        logger.info("x")
    correlation.unbind(token)

    [line], [record] = room.lines, room.exported
    context = span.get_span_context()
    assert line["trace_id"] == format(context.trace_id, "032x")
    assert line["span_id"] == format(context.span_id, "016x")
    assert line["trace_flags"] == format(context.trace_flags, "02x")
    assert line["correlation_id"] == "order-7"
    assert (record.trace_id, record.span_id) == (context.trace_id, context.span_id)
    assert record.attributes["correlation_id"] == "order-7"


def test_outside_a_request_no_ids_are_made_up(room: Any) -> None:
    logger.info("x")

    assert {"trace_id", "span_id", "correlation_id"} & room.lines[0].keys() == set()
    assert not room.exported[0].trace_id


@pytest.mark.parametrize("arguments", [("%d", "seven"), ("%s %s", 1), ("%s", 1, 2), ("%(a)s", {"b": 1}), ("%q", 1)])
def test_arguments_that_do_not_fit_leave_the_template_and_a_note(
    room: Any, capsys: pytest.CaptureFixture[str], arguments: tuple[Any, ...]
) -> None:
    room.alone()
    logger.info(*arguments)

    [line] = room.lines
    assert line["message"] == arguments[0]
    assert line["log.note"].startswith("arguments do not fit the message")
    assert room.exported[0].attributes["log.note"] == line["log.note"]
    assert "Logging error" not in capsys.readouterr().err


def test_an_argument_that_cannot_be_written_leaves_the_template(room: Any) -> None:
    room.alone()
    logger.info("order %s", Broken())

    assert room.lines[0]["message"] == "order %s"


def test_a_message_that_is_no_text_is_written_as_text(room: Any) -> None:
    room.alone()
    logger.info({"order": 7})
    logger.info(Broken())

    assert [line["message"] for line in room.lines] == ["{'order': 7}", "<Broken: str() raised RuntimeError>"]


def test_an_exception_has_type_message_and_stack_trace(room: Any) -> None:
    try:
        fail(KeyError("stock"))
    except KeyError:
        logger.exception("failed")

    exception = room.lines[0]["exception"]
    assert exception["type"] == "KeyError"
    assert exception["message"] == "'stock'"
    assert 'fail(KeyError("stock"))' in exception["stacktrace"]
    attributes = room.exported[0].attributes
    assert attributes["exception.type"] == "KeyError"
    assert attributes["exception.stacktrace"] == exception["stacktrace"]


def test_an_exception_whose_text_raises_is_still_reported(room: Any) -> None:
    try:
        fail(BrokenError())
    except BrokenError:
        logger.exception("failed")

    exception = room.lines[0]["exception"]
    assert exception["type"].endswith("BrokenError")
    assert exception["message"] == "<BrokenError: str() raised RuntimeError>"
    assert "raise error" in exception["stacktrace"]


def test_exc_info_without_an_exception_is_ignored(room: Any) -> None:
    logger.error("failed", exc_info=True)  # noqa: LOG014 - the mistake under test

    assert "exception" not in room.lines[0]


def test_the_callers_stack_is_written_when_asked_for(room: Any) -> None:
    logger.info("here", stack_info=True)

    assert "test_the_callers_stack" in room.lines[0]["stack"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (b"caf\xc3\xa9 \xff", "caf\u00e9 \\xff"),
        (Decimal("10.10"), "10.10"),
        (dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "2026-01-02T00:00:00+00:00"),
        (Order(7, Decimal("1.5")), {"number": 7, "total": "1.5"}),
        (2**63, str(2**63)),
        (-(2**63), -(2**63)),
        pytest.param(10**5000, "<int of 16610 bits>", id="an int too long to print"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ("\ud800 lone", "\\ud800 lone"),
        ({1: {2}}, {"1": [2]}),
        ((1, None, True), [1, None, True]),
        pytest.param(Broken(), "<Broken: str() raised RuntimeError>", id="no text"),
        (ValueError("x"), "ValueError: x"),
        (None, None),
    ],
)
def test_an_extra_of_any_type_is_written(room: Any, value: object, written: object) -> None:
    logger.info("x", extra={"value": value})

    assert room.lines[0]["value"] == written
    assert len(room.exported) == 1
    encode_logs(room.exporter.get_finished_logs()).SerializeToString()


def test_a_value_that_holds_itself_is_written_once(room: Any) -> None:
    cyclic: dict[str, Any] = {"name": "a"}
    cyclic["self"] = cyclic
    logger.info("x", extra={"value": cyclic})

    assert room.lines[0]["value"] == {"name": "a", "self": "[circular]"}


def test_depth_is_bounded(room: Any) -> None:
    deep: Any = "end"
    for _ in range(1000):
        deep = [deep]
    logger.info("x", extra={"value": deep})

    assert str(room.lines[0]["value"]) == "[" * 8 + "'[too deep]'" + "]" * 8


def test_the_number_of_items_is_bounded(room: Any) -> None:
    logger.info("x", extra={"value": list(range(100_000))})

    assert room.lines[0]["value"] == [*range(MAX_ITEMS), "[too many values]"]


def test_the_number_of_values_of_a_record_is_bounded() -> None:
    wide: Any = 1
    for _ in range(7):
        wide = [wide] * MAX_ITEMS
    text = str(Plain(MAX_VALUE)(wide))

    assert len(text) < 100_000


def test_a_mapping_that_fails_when_read_costs_only_its_value(room: Any) -> None:
    class Failing(dict[str, int]):
        def items(self) -> Any:
            raise OSError("gone")

    logger.info("x", extra={"bad": Failing(a=1), "good": 1})

    assert room.lines[0]["good"] == 1
    assert room.lines[0]["bad"] == "<Failing: reading it raised OSError>"


def test_an_extra_with_the_name_of_a_field_gets_a_prefix(room: Any) -> None:
    logger.info("x", extra={"level": "high", "trace_id": "mine"})

    assert room.lines[0]["level"] == "INFO"
    assert room.lines[0]["extra.level"] == "high"
    assert room.lines[0]["extra.trace_id"] == "mine"


def test_newlines_and_control_bytes_stay_in_one_line(room: Any) -> None:
    logger.info("a\nb\r\x00\x1b[31m\u2028c", extra={"k\ney": "v\nw"})

    assert len(room.lines) == 1
    assert room.stream.getvalue().count("\n") == 1
    assert room.lines[0]["message"] == "a\nb\r\x00\x1b[31m\u2028c"


def test_a_body_of_200_kb_is_cut_and_says_so(room: Any) -> None:
    logger.info("x" * 200_000)

    [line], [record] = room.lines, room.exported
    assert len(line["message"]) == MAX_BODY
    assert line["message"].endswith("...[truncated, 200000 characters]")
    assert record.body == line["message"]


def test_an_extra_of_200_kb_is_cut_and_says_so(room: Any) -> None:
    logger.info("x", extra={"value": {"inner": "x" * 200_000}})

    value = room.lines[0]["value"]["inner"]
    assert len(value) == MAX_VALUE
    assert value.endswith("...[truncated, 200000 characters]")
    assert room.exported[0].attributes["value"]["inner"] == value


def test_a_long_stack_trace_keeps_its_beginning_and_its_end(room: Any) -> None:
    try:
        fail(ValueError("x" * 200_000 + "end"))
    except ValueError:
        logger.exception("failed")

    trace_text = room.lines[0]["exception"]["stacktrace"]
    assert len(trace_text) <= MAX_BODY
    assert trace_text.startswith("Traceback")
    assert trace_text.endswith("end\n")
    assert "[truncated" in trace_text


def test_masking_sees_a_secret_that_the_limit_cuts_through(open_room: Callable[..., Any]) -> None:
    room = open_room(redaction=_masking("4111111111111111", "***"))
    body = "x" * (MAX_BODY - 8) + "4111111111111111" + "y" * 100_000
    logger.info(body)

    assert "4111" not in room.lines[0]["message"]
    assert "4111" not in room.exported[0].body


def test_masking_reaches_message_extras_and_exception(open_room: Callable[..., Any]) -> None:
    room = open_room(redaction=_masking("secret", "***"))
    try:
        fail(ValueError("secret"))
    except ValueError:
        logger.exception("a %s", "secret", extra={"value": {"inner": "secret"}})

    assert room.lines[0]["message"] == "a ***"
    assert room.lines[0]["exception"]["message"] == "***"
    assert room.lines[0]["value"] == {"inner": "***"}
    assert "ValueError: ***" in room.exported[0].attributes["exception.stacktrace"]


def test_the_masking_of_the_other_signals_is_the_default(open_room: Callable[..., Any]) -> None:
    room = open_room(redaction=None)
    logger.info("card 4111 1111 1111 1111", extra={"login": {"password": "hunter2"}, "order": 7})

    assert "4111 1111" not in room.lines[0]["message"]
    assert room.lines[0]["login"] == {"password": "[REDACTED]"}
    assert room.lines[0]["order"] == 7
    assert "hunter2" not in str(room.exported[0].attributes)


def test_nothing_goes_out_unmasked_when_masking_fails(open_room: Callable[..., Any]) -> None:
    def broken(text: str) -> str:
        raise ValueError(text)

    room = open_room(redaction=Redaction(text=broken, value=lambda _, value: value, query=lambda query: query))
    logger.info("secret", extra={"token": "secret"})

    assert room.lines[0]["message"] == UNREADABLE
    assert "secret" not in room.stream.getvalue()
    assert "secret" not in str(room.exported[0].attributes)
    assert room.faults["redact"] == 1


def test_the_text_format_is_for_a_reader_and_cannot_be_forged(open_room: Callable[..., Any]) -> None:
    room = open_room(format="text")
    logger.info("hello\nERROR forged \x1b[2J", extra={"order": 7})

    room.installed.flush()
    line = room.stream.getvalue()
    assert line.count("\n") == 1
    assert "INFO     shop.orders  hello\\nERROR forged \\x1b[2J order=7" in line


@pytest.mark.parametrize(
    ("level", "expected"),
    [(0, 0), (5, 4), (10, 5), (20, 9), (25, 12), (30, 13), (40, 17), (50, 21), (59, 24), (1000, 24)],
)
def test_levels_become_severities(level: int, expected: int) -> None:
    assert severity(level).value == expected


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary() | st.decimals(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=4),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=st.text(st.characters()), extras=st.dictionaries(st.text(st.characters()).map("x{}".format), _ANY))
def test_anything_logged_is_one_line_and_one_record(room: Any, message: str, extras: dict[str, Any]) -> None:
    room.stream.truncate(0)
    room.stream.seek(0)
    room.exporter.clear()
    logger.info(message, extra=extras)

    assert len(room.lines) == 1
    assert len(room.exported) == 1
    encode_logs(room.exporter.get_finished_logs()).SerializeToString()
    assert room.faults == {}


def _masking(secret: str, mask: str) -> Redaction:
    def value(_: str | None, given: Any) -> Any:
        if isinstance(given, dict):
            return {key: value(key, item) for key, item in given.items()}
        return given.replace(secret, mask) if isinstance(given, str) else given

    return Redaction(text=lambda text: text.replace(secret, mask), value=value, query=lambda query: query)
