"""What the collector and the backends promise, asked of the real ones."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from mita_otel.logs.streams import STREAMS
from mita_otel.stack import NativeStack, versions
from tests.stack.otlp import BAD, Backends, Span, counter_request, gauge_request, log_request, trace_request

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

Eventually = Callable[..., object]
CARD = "4111 1111 1111 1111"
SECRETS = {
    "card": CARD,
    "amex": "378282246310005",
    "mail": "alice@example.com",
    "token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "iban": "DE89370400440532013000",
    "iban_in_groups": "GB29 NWBK 6016 1331 9268 19",
    "ssn": "078-05-1120",
}


@pytest.fixture
def service() -> str:
    """A name that no other test sends under."""
    return f"svc-{uuid4().hex[:12]}"


@pytest.fixture
def trace_id() -> bytes:
    return uuid4().bytes


def test_a_trace_its_log_line_and_its_count_are_found_by_the_same_trace_id(
    backends: Backends, eventually: Eventually, service: str, trace_id: bytes
) -> None:
    hexadecimal = trace_id.hex()
    assert backends.send(trace_request(service, Span("GET /x", {"http.route": "/x"}, trace_id=trace_id))) == 200
    assert backends.send(log_request(service, ("hello", {}), trace_id=trace_id)) == 200
    assert backends.send(counter_request(service, "mita.tests", 3, trace_id)) == 200
    eventually(lambda: [span["traceID"] for span in backends.spans(service)] == [hexadecimal])
    eventually(
        lambda: (
            [line for line, _ in backends.logs(f'{{service_name="{service}"}} | trace_id="{hexadecimal}"')] == ["hello"]
        )
    )
    query = f'mita_tests_total{{service_name="{service}"}}'
    eventually(lambda: backends.series(query) == {"mita_tests_total": 3})
    eventually(lambda: backends.exemplar_traces(query) == {hexadecimal})


def test_the_stock_exporter_delivers_by_grpc_without_a_token(
    backends: Backends, eventually: Eventually, service: str
) -> None:
    provider = TracerProvider(resource=Resource({"service.name": service}))
    exporter = OTLPSpanExporter(endpoint=backends.endpoints.otlp_grpc, insecure=True)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("by grpc"):
        pass
    provider.shutdown()
    eventually(lambda: [span["operationName"] for span in backends.spans(service)] == ["by grpc"])


def test_span_metrics_reach_prometheus_and_jaegers_monitor_names(
    backends: Backends, eventually: Eventually, service: str
) -> None:
    backends.send(trace_request(service, Span("GET /x", {"http.route": "/x"})))
    query = f'traces_span_metrics_calls_total{{service_name="{service}"}}'
    eventually(lambda: query and backends.series(query) == {"traces_span_metrics_calls_total": 1}, timeout=30)


@pytest.mark.parametrize("secret", SECRETS)
def test_what_an_sdk_failed_to_mask_reaches_no_backend(
    backends: Backends, eventually: Eventually, service: str, secret: str
) -> None:
    text = SECRETS[secret]
    span = Span(f"pay {text}", {"note": f"with {text}", "list": ["a", text], "password": "hunter2"}, f"declined {text}")
    backends.send(trace_request(service, span))
    backends.send(log_request(service, (f"paid with {text}", {"note": text, "api_key": "hunter2"})))
    stored = str(eventually(lambda: backends.spans(service)))
    stored += str(eventually(lambda: backends.logs(f'{{service_name="{service}"}}')))
    assert "****" in stored
    assert text not in stored
    assert "hunter2" not in stored


def test_numbers_that_are_no_cards_stay_numbers(backends: Backends, eventually: Eventually, service: str) -> None:
    given: dict[str, str | int | float | list[str]] = {
        "count": 42,
        "share": 0.4111111111111111,
        "at": 1_795_501_672_412_000_000,
    }
    backends.send(trace_request(service, Span("op", given)))
    eventually(lambda: backends.spans(service))
    tags = backends.spans(service)[0]["tags"]
    # Jaeger writes integers that JavaScript cannot hold as text.
    assert {key: float(tags[key]) for key in given} == given


def test_loki_indexes_the_four_bounded_labels_only(backends: Backends, eventually: Eventually, service: str) -> None:
    backends.send(log_request(service, ("line", {"mita.log.stream": "app", "user": "u1", "host.name": "h"})))
    eventually(lambda: backends.loki_labels(service) == {"service_name", "mita_log_stream"})


def test_each_stream_of_logs_is_found_by_its_label(backends: Backends, eventually: Eventually, service: str) -> None:
    backends.send(log_request(service, *((f"line of {stream}", {"mita.log.stream": stream}) for stream in STREAMS)))
    for stream in STREAMS:
        query = f'{{service_name="{service}", mita_log_stream="{stream}"}}'
        eventually(lambda query=query: backends.logs(query))
        assert [line for line, _ in backends.logs(query)] == [f"line of {stream}"]


def test_loki_keeps_each_stream_for_its_time(backends: Backends) -> None:
    limits = backends.loki_limits()
    assert limits["retention_period"] == "30d"
    assert {(one["selector"], one["period"]) for one in limits["retention_stream"]} == {
        ('{mita_log_stream="audit"}', "1y"),
        ('{mita_log_stream="security"}', "90d"),
        ('{mita_log_stream="performance"}', "1w"),
    }


@pytest.mark.parametrize(
    "odd",
    [
        Span(BAD, {}),
        Span("odd", {"x": BAD}),
        Span("odd", {BAD: "x"}),
        Span("odd", {}, BAD),
        Span("n" * 200_000, {}),
        Span("odd", {"x": "y" * 200_000}),
        Span("odd", {"x": ["y" * 4000] * 40}),
        Span("odd", {"имя": "Ж", "": "x"}),
        Span("odd", {f"k{number}": "v" * 300 for number in range(400)}),
    ],
    ids=["bad name", "bad value", "bad key", "bad status", "long name", "long value", "long list", "no latin", "many"],
)
def test_a_span_that_jaeger_would_refuse_arrives_cut_and_so_do_its_neighbours(
    backends: Backends, eventually: Eventually, service: str, odd: Span
) -> None:
    assert backends.send(trace_request(service, Span("before", {}), odd, Span("after", {}))) == 200
    eventually(lambda: len(backends.spans(service)) == 3)
    assert {"before", "after"} < {span["operationName"] for span in backends.spans(service)}


@pytest.mark.parametrize(
    "odd",
    [
        (BAD, {}),
        ("odd", {"x": BAD}),
        ("odd", {BAD: "x"}),
        ("odd", {"mita.log.stream": BAD}),
        ("odd", {"mita.log.stream": "s" * 5000}),
        ("odd", {"имя": "Ж"}),
        ("odd", {"": "Ж"}),
        ("odd", {"x": "y" * 200_000}),
        ("y" * 600_000, {}),
        ("odd", {f"k{number}": "v" * 300 for number in range(400)}),
    ],
    ids=["body", "value", "key", "stream", "long stream", "no latin", "no key", "long value", "long body", "many"],
)
def test_a_log_record_that_loki_would_refuse_arrives_cut_and_so_do_its_neighbours(
    backends: Backends, eventually: Eventually, service: str, odd: tuple[str, dict[str, str]]
) -> None:
    assert backends.send(log_request(service, ("before", {}), odd, ("after", {}))) == 200
    eventually(lambda: len(backends.logs(f'{{service_name="{service}"}}')) == 3)


@pytest.mark.parametrize(
    ("odd", "age"),
    [
        (("odd", {"x": BAD}), 0),
        (("odd", {BAD: "x"}), 0),
        ((BAD, {}), 0),
        (("запросы", {}), 0),
        (("odd", {"имя": "Ж"}), 0),
        (("odd", {"": "x"}), 0),
        (("odd", {}), 5 * 3600),
        (("odd", {}), -3600),
    ],
    ids=["value", "key", "name", "name without latin", "key without latin", "no key", "too old", "in the future"],
)
def test_a_point_that_prometheus_would_refuse_costs_no_other(
    backends: Backends, eventually: Eventually, service: str, odd: tuple[str, dict[str, str]], age: float
) -> None:
    request = gauge_request(service, ("before", {}), odd, ("after", {}), ages={odd[0]: age})
    assert backends.send(request) == 200
    eventually(lambda: {"before", "after"} <= set(backends.series(f'{{service_name="{service}"}}')))


def test_a_request_beyond_the_limit_is_refused_and_the_collector_lives(backends: Backends, service: str) -> None:
    assert backends.send(log_request(service, ("y" * 5_000_000, {}))) in {400, 413}
    assert backends.send(log_request(service, ("small", {}))) == 200


def test_a_killed_collector_loses_nothing_it_acknowledged_while_the_backends_were_down(
    stack: NativeStack, backends: Backends, eventually: Eventually, service: str
) -> None:
    for name in ("jaeger", "loki", "prometheus"):
        stack.kill(name)
    for number in range(20):
        assert backends.send(trace_request(service, *(Span(f"op{number}", {}) for _ in range(10)))) == 200
        assert backends.send(log_request(service, *((f"line {number}.{row}", {}) for row in range(10)))) == 200
        assert backends.send(gauge_request(service, (f"gauge_{number}", {}))) == 200
    stack.kill("otelcol")
    stack.up(standard=False)
    eventually(lambda: len(backends.spans(service)) == 200, timeout=60)
    eventually(lambda: len({line for line, _ in backends.logs(f'{{service_name="{service}"}}')}) == 200, timeout=60)
    eventually(lambda: len(backends.series(f'{{service_name="{service}", __name__=~"gauge_.*"}}')) == 20, timeout=60)
    assert len({span["spanID"] for span in backends.spans(service)}) == 200


def test_a_frozen_backend_delays_nobody_who_sends(
    stack: NativeStack, backends: Backends, eventually: Eventually, service: str
) -> None:
    stack.pause("jaeger")
    assert backends.send(trace_request(service, Span("while frozen", {}))) == 200
    stack.resume("jaeger")
    eventually(lambda: [span["operationName"] for span in backends.spans(service)] == ["while frozen"], timeout=60)


def test_prometheus_scrapes_every_component_and_loads_the_rules(backends: Backends, eventually: Eventually) -> None:
    eventually(lambda: backends.series("count(up == 1)") == {"": 5}, timeout=40)
    assert backends.series("count(ALERTS{alertstate='firing', alertname='MitaTelemetryDropped'})") == {}


@pytest.mark.parametrize("overlay", ["fsync", "tail-sampling", "tls", "token"])
def test_the_collector_accepts_every_overlay(binaries: dict[str, Path], tmp_path: Path, overlay: str) -> None:
    collector = versions.root() / "collector"
    environment = {"STACK_OTLP_TOKEN": "t", "STACK_QUEUE_DIR": str(tmp_path), "STACK_TLS_DIR": str(tmp_path)}
    for file in ("ca.crt", "server.crt", "server.key"):
        (tmp_path / file).touch()
    files = [f"--config={collector / 'otelcol.yaml'}", f"--config={collector / 'overlays' / overlay}.yaml"]
    command = [str(binaries["otelcol-mita"]), "validate", *files]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_tools_of_prometheus_and_alertmanager_accept_their_files(binaries: dict[str, Path]) -> None:
    collector = versions.root() / "collector"
    commands: tuple[list[str | Path], ...] = (
        [binaries["promtool"], "check", "config", collector / "prometheus" / "prometheus.yml"],
        [binaries["amtool"], "check-config", collector / "alertmanager" / "alertmanager.yml"],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
