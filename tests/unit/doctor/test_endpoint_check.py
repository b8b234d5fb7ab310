"""What a receiver made of a request is told with the variable that is to blame."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.doctor.checks.endpoint import judge
from mita_otel.doctor.facts.model import Delivery, Facts
from mita_otel.doctor.model import Judgement, Verdict
from mita_otel.endpoint import OtlpEndpoint
from tests.unit.doctor.conftest import delivery

OWN = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
GENERAL = "OTEL_EXPORTER_OTLP_ENDPOINT"
PLAIN = OtlpEndpoint(url="http://c:4318/v1/traces")
TLS = OtlpEndpoint(url="https://c:4318/v1/traces", insecure=False)
GRPC = OtlpEndpoint(protocol="grpc", url="c:4317")


def judged(**changes: Any) -> Judgement:
    """What is said of one delivery."""
    (judgement,) = judge(Facts(deliveries=(delivery(**changes),)))
    return judgement


def failed(reason: str, endpoint: OtlpEndpoint = PLAIN, outcome: str = "refused", **changes: Any) -> Judgement:
    return judged(reason=reason, endpoint=endpoint, outcome=outcome, **changes)


def test_what_is_accepted_is_in_order_with_the_time_it_took() -> None:
    assert judged(endpoint=PLAIN).sentence == "traces: http://c:4318/v1/traces accepts, in 12 ms"


@pytest.mark.parametrize("made", ["correct", "set"])
def test_success_that_is_no_otlp_is_an_error(made: str) -> None:
    judgement = judged(reason="the answer is not an OTLP response", given=made == "correct")
    assert judgement.verdict is Verdict.ERROR
    assert judgement.fix == f"{made} {GENERAL}"


def test_a_warning_of_the_receiver_is_passed_on() -> None:
    judgement = judged(reason="deprecated")
    assert (judgement.verdict, "deprecated" in judgement.sentence) == (Verdict.WARNING, True)


@pytest.mark.parametrize(
    ("reason", "changes", "told"),
    [
        ("Name or service not known", {}, "host name"),
        ("no address for c", {}, "host name"),
        ("connection refused", {"speaks": "nothing"}, "mita-otel console"),
        ("HTTP 400", {"speaks": "tls"}, "https://"),
        ("TLS: WRONG_VERSION_NUMBER", {"endpoint": TLS, "speaks": "http/1.1"}, "http://"),
        ("TLS: WRONG_VERSION_NUMBER", {"endpoint": GRPC._replace(insecure=False), "speaks": "http/2"}, "http://"),
        ("TLS: CERTIFICATE_VERIFY_FAILED", {"endpoint": TLS, "speaks": "tls"}, "OTEL_EXPORTER_OTLP_CERTIFICATE"),
        ("connection closed by the receiver", {"speaks": "http/2"}, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"),
        ("gRPC UNAVAILABLE", {"endpoint": GRPC, "speaks": "http/1.1"}, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"),
        ("HTTP 403", {}, "OTEL_EXPORTER_OTLP_HEADERS"),
        ("gRPC PERMISSION_DENIED", {"endpoint": GRPC}, "OTEL_EXPORTER_OTLP_HEADERS"),
        ("HTTP 405", {}, GENERAL),
        ("gRPC UNIMPLEMENTED", {"endpoint": GRPC, "speaks": "http/2"}, "no such service"),
        ("timeout", {"speaks": "http/1.1"}, "firewall"),
        ("gRPC DEADLINE_EXCEEDED", {"endpoint": GRPC, "speaks": "http/2"}, "firewall"),
        ("HTTP 502", {}, "receiver's log"),
        ("gRPC UNAVAILABLE", {"endpoint": GRPC, "speaks": "http/2"}, "receiver's log"),
        ("HTTP 302, redirects are not followed", {}, GENERAL),
        ("HTTP 413", {}, GENERAL),
        ("BadStatusLine", {"speaks": "unknown"}, GENERAL),
    ],
)
def test_each_reason_has_its_cause(reason: str, changes: dict[str, Any], told: str) -> None:
    judgement = failed(reason, **changes)
    assert judgement.verdict is Verdict.ERROR
    assert told in f"{judgement.sentence} {judgement.fix}"


@pytest.mark.parametrize(
    ("variable", "url", "told"),
    [
        (OWN, "http://c:4318", "append /v1/traces"),
        (OWN, "http://c:4318/v1/traces", f"correct {OWN}"),
        (GENERAL, "http://c:4318/v1/traces/v1/traces", "take the path out"),
        (GENERAL, "http://c:4318/v1/traces", f"correct {GENERAL}"),
    ],
)
def test_a_path_that_is_not_there_is_traced_to_how_the_variable_is_read(variable: str, url: str, told: str) -> None:
    judgement = failed("HTTP 404", OtlpEndpoint(url=url), variable=variable, given=True)
    assert told in judgement.fix


def test_the_options_of_a_signals_own_endpoint_are_its_own() -> None:
    judgement = failed("HTTP 401", variable=OWN, given=True)
    assert "OTEL_EXPORTER_OTLP_TRACES_HEADERS" in judgement.fix


def test_what_is_alike_at_one_receiver_is_told_once() -> None:
    down = {"outcome": "retry", "reason": "connection refused", "speaks": "nothing"}
    elsewhere = OtlpEndpoint(url="http://other:4318/v1/logs")
    deliveries = (delivery("traces", **down), delivery("metrics", **down), delivery("logs", endpoint=elsewhere, **down))
    together, alone = judge(Facts(deliveries=deliveries))
    assert together.sentence.startswith("traces, metrics: http://localhost:4318 does not take connections")
    assert alone.sentence.startswith("logs: http://other:4318/v1/logs does not take connections")


def test_credentials_are_named_and_not_shown() -> None:
    endpoint = PLAIN._replace(headers=(("x-key", "hunter2"),))
    judgement = failed("HTTP 401", endpoint)
    assert "it sends x-key now" in judgement.fix
    assert "hunter2" not in f"{judgement.sentence}{judgement.fix}"


@given(
    st.builds(
        delivery,
        signal=st.sampled_from(["traces", "metrics", "logs"]),
        endpoint=st.sampled_from([PLAIN, TLS, GRPC]),
        outcome=st.sampled_from(["refused", "retry"]),
        reason=st.text() | st.sampled_from(["timeout", "connection refused", "HTTP 401", "gRPC INTERNAL"]),
        speaks=st.sampled_from(["http/1.1", "http/2", "tls", "unknown", "nothing", None]),
    )
)
def test_whatever_a_receiver_does_is_told_with_a_fix(sent: Delivery) -> None:
    (judgement,) = judge(Facts(deliveries=(sent,)))
    assert judgement.verdict is not Verdict.OK
    assert sent.endpoint.destination in judgement.sentence
    assert judgement.fix
