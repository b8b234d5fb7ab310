"""Faults staged for real, one at a time in a set-up that is in order: the doctor names the cause and the fix."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from mita_otel.doctor.facts import looking
from tests.fixtures.otlp_receiver import Fault, OtlpReceiver
from tests.fixtures.polling import find_free_port
from tests.integration.doctor.conftest import Diagnosis, Examine, StandIn

INSTRUMENTED_BY_HAND = """
from fastapi import FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
app = FastAPI()
FastAPIInstrumentor.instrument_app(app)
"""
WRAPPED_BY_HAND = """
from fastapi import FastAPI
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
app = OpenTelemetryMiddleware(FastAPI())
"""
ANOTHER_EXPORTER = """
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor
trace.get_tracer_provider().add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
app = FastAPI()
"""
REDIS_BY_HAND = """
from fastapi import FastAPI
from opentelemetry.instrumentation.redis import RedisInstrumentor
import redis
RedisInstrumentor().instrument()
app = FastAPI()
"""
SILENT = """
from fastapi import FastAPI
app = FastAPI(telemetry={"tracing": False})
"""
SECOND_DISTRIBUTION = """
[opentelemetry_distro]
vanilla = vanilla:Distro
[opentelemetry_configurator]
vanilla = vanilla:Configurator
"""


@dataclass(frozen=True, slots=True)
class Staged:
    """One fault, and what must be said of it.

    Attributes:
        variables: set on top; `{name}` stands for an address of the stage.
        check: who must find it.
        names: what its sentence and fix must name.
        verdict: how bad it is.
        application: code of the application that is shown, if any.
        receiver: what the receiver does.
    """

    variables: dict[str, str]
    check: str
    names: tuple[str, ...]
    verdict: str = "error"
    application: str = ""
    receiver: Fault | None = None


ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"

FAULTS = {
    "a value that is not allowed": Staged({"MITA_LOG_FORMAT": "xml"}, "settings", ("MITA_LOG_FORMAT='xml'", "json")),
    "a misspelled name": Staged(
        {"OTEL_EXPORTER_OTLP_ENPOINT": "http://c"}, "settings", ("OTEL_EXPORTER_OTLP_ENPOINT", ENDPOINT), "warning"
    ),
    "another distribution chosen": Staged(
        {"OTEL_PYTHON_DISTRO": "splunk_distro"}, "distribution", ("OTEL_PYTHON_DISTRO=splunk_distro", "mita-instrument")
    ),
    "another configurator chosen": Staged(
        {"OTEL_PYTHON_CONFIGURATOR": "configurator"}, "distribution", ("OTEL_PYTHON_CONFIGURATOR=configurator", "mita")
    ),
    "the SDK disabled": Staged({"OTEL_SDK_DISABLED": "true"}, "start", ("OTEL_SDK_DISABLED=true", "remove")),
    "a strict start that fails": Staged(
        {"MITA_STRICT": "1", "OTEL_BSP_SCHEDULE_DELAY": "soon"}, "start", ("78", "OTEL_BSP_SCHEDULE_DELAY='soon'")
    ),
    "an application that cannot be imported": Staged(
        {}, "start", ("ModuleNotFoundError", "no_such_module"), application="import no_such_module"
    ),
    "an exporter that is not installed": Staged(
        {"OTEL_TRACES_EXPORTER": "zipkin"}, "exporters", ("OTEL_TRACES_EXPORTER=zipkin", "otlp")
    ),
    "an exporter that soon gives up": Staged(
        {"OTEL_TRACES_EXPORTER": "otlp_proto_http"},
        "exporters",
        ("ten seconds", "OTEL_TRACES_EXPORTER=otlp"),
        "warning",
    ),
    "a file of settings": Staged(
        {"OTEL_CONFIG_FILE": "otel.yaml"}, "settings", ("OTEL_CONFIG_FILE", "does not read"), "warning"
    ),
    "no exporter of traces": Staged(
        {"OTEL_TRACES_EXPORTER": "none"}, "exporters", ("traces", "OTEL_TRACES_EXPORTER"), "warning"
    ),
    "no exporter at all": Staged(
        {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")},
        "exporters",
        ("nothing leaves", "OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER"),
    ),
    "nothing listens": Staged({ENDPOINT: "http://127.0.0.1:{free}"}, "endpoint", ("{free}", "refused", ENDPOINT)),
    "nothing listens for gRPC": Staged(
        {ENDPOINT: "http://127.0.0.1:{free}", PROTOCOL: "grpc"}, "endpoint", ("{free}", "refused", ENDPOINT)
    ),
    "a host that has no address": Staged(
        {ENDPOINT: "http://collector.invalid:4318"}, "endpoint", ("host name", ENDPOINT)
    ),
    "no credentials": Staged({}, "endpoint", ("HTTP 401", HEADERS), receiver=Fault(status=401)),
    "wrong credentials": Staged(
        {HEADERS: "authorization=Bearer%20hunter2"},
        "endpoint",
        ("HTTP 401", HEADERS, "authorization"),
        receiver=Fault(status=401),
    ),
    "wrong credentials over gRPC": Staged(
        {HEADERS: "authorization=Bearer%20hunter2", ENDPOINT: "{grpc}", PROTOCOL: "grpc"},
        "endpoint",
        ("UNAUTHENTICATED", HEADERS),
        receiver=Fault(status=401),
    ),
    "the path left out": Staged({TRACES_ENDPOINT: "{http}"}, "endpoint", ("404", TRACES_ENDPOINT, "append /v1/traces")),
    "the path put in": Staged({ENDPOINT: "{http}/v1/traces"}, "endpoint", ("404", ENDPOINT, "take the path out")),
    "the gRPC port for HTTP": Staged({ENDPOINT: "{grpc}"}, "endpoint", ("gRPC", f"{PROTOCOL}=grpc", ENDPOINT)),
    "the HTTP port for gRPC": Staged(
        {ENDPOINT: "{http}", PROTOCOL: "grpc"}, "endpoint", ("HTTP", f"{PROTOCOL}=http/protobuf", ENDPOINT)
    ),
    "something else listens": Staged({ENDPOINT: "http://127.0.0.1:{ssh}"}, "endpoint", ("{ssh}", ENDPOINT)),
    "a web page listens": Staged({ENDPOINT: "{page}"}, "endpoint", ("not as an OTLP receiver", ENDPOINT)),
    "TLS is spoken": Staged({ENDPOINT: "http://127.0.0.1:{tls}"}, "endpoint", ("TLS", ENDPOINT, "https://")),
    "TLS is not spoken": Staged(
        {ENDPOINT: "https://127.0.0.1:{http_port}"}, "endpoint", ("plain text", ENDPOINT, "http://")
    ),
    "a certificate that is not trusted": Staged(
        {ENDPOINT: "https://127.0.0.1:{tls}"}, "endpoint", ("not trusted", "OTEL_EXPORTER_OTLP_CERTIFICATE")
    ),
    "a receiver that hangs": Staged(
        {"OTEL_EXPORTER_OTLP_TIMEOUT": "1"}, "endpoint", ("1.0 s", ENDPOINT), receiver=Fault(black_hole=True)
    ),
    "a receiver that is full": Staged({}, "endpoint", ("fewer requests",), "warning", receiver=Fault(status=429)),
    "a receiver that is broken": Staged({}, "endpoint", ("HTTP 503", "log"), receiver=Fault(status=503)),
    "items thrown away": Staged(
        {}, "endpoint", ("throws", "too old"), "warning", receiver=Fault(rejected=1, message="too old")
    ),
    # Its span went to tomorrow: nowhere is it waited for.
    "a clock ahead": Staged(
        {ENDPOINT: "{tomorrow}", "MITA_JAEGER_URL": "http://127.0.0.1:{free}"},
        "clock",
        ("3600 s ahead", "synchronise"),
    ),
    "sampler off": Staged(
        {"OTEL_TRACES_SAMPLER": "always_off"},
        "sampler",
        ("OTEL_TRACES_SAMPLER=always_off", "remove OTEL_TRACES_SAMPLER"),
    ),
    "sampler off for new traces": Staged(
        {"OTEL_TRACES_SAMPLER": "parentbased_always_off"}, "sampler", ("OTEL_TRACES_SAMPLER=parentbased_always_off",)
    ),
    "sampler of none": Staged(
        {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"},
        "sampler",
        ("OTEL_TRACES_SAMPLER_ARG=0", "share"),
    ),
    "a share that is none": Staged(
        {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "10%"},
        "sampler",
        ("OTEL_TRACES_SAMPLER_ARG=10%", "between 0 and 1"),
        "warning",
    ),
    "no propagator of traces": Staged(
        {"OTEL_PROPAGATORS": "baggage"}, "propagators", ("OTEL_PROPAGATORS=baggage", "tracecontext,baggage")
    ),
    "a propagator that is not installed": Staged(
        {"OTEL_PROPAGATORS": "b3,tracecontext"}, "propagators", ("OTEL_PROPAGATORS", "'b3'")
    ),
    "no name": Staged({"OTEL_SERVICE_NAME": ""}, "resource", ("unknown_service", "OTEL_SERVICE_NAME"), "warning"),
    "a library disabled": Staged(
        {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "django,redis"},
        "instrumentations",
        ("redis", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"),
        "warning",
    ),
    "FastAPI instrumented by hand": Staged(
        {}, "doubles", ("FastAPIInstrumentor.instrument_app", "remove"), application=INSTRUMENTED_BY_HAND
    ),
    "FastAPI wrapped by hand": Staged({}, "doubles", ("OpenTelemetryMiddleware",), application=WRAPPED_BY_HAND),
    "redis instrumented by hand": Staged(
        {}, "doubles", ("redis is instrumented twice", "opentelemetry.instrumentation.redis"), application=REDIS_BY_HAND
    ),
    "a second exporter": Staged({}, "doubles", ("OTLPSpanExporter", "twice"), application=ANOTHER_EXPORTER),
    "FastAPI told to export by itself": Staged(
        {"FASTAPI_OTEL_AUTO_CONFIGURE": "true"}, "fastapi", ("FASTAPI_OTEL_AUTO_CONFIGURE=true", "remove"), "warning"
    ),
    "FastAPI told to be silent": Staged({}, "fastapi", ("tracing", "no spans"), application=SILENT),
    "protobuf in pure Python": Staged(
        {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"},
        "protobuf",
        ("pure Python", "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"),
        "warning",
    ),
}


OF_THE_PROCESS = {"settings", "distribution", "start", "protobuf"}
"""Checks of what the examining process itself is started with: their faults are staged for the command."""


@pytest.fixture
def addresses(
    otlp_receiver: OtlpReceiver, ssh_port: int, tls_port: int, web_page: str, receiver_of_tomorrow: str
) -> dict[str, Any]:
    """What the table's placeholders stand for."""
    return {
        "http": otlp_receiver.http_endpoint,
        "http_port": otlp_receiver.http_port,
        "grpc": otlp_receiver.grpc_endpoint,
        "free": find_free_port(),
        "ssh": ssh_port,
        "tls": tls_port,
        "page": web_page,
        "tomorrow": receiver_of_tomorrow,
    }


def _has(diagnosis: Diagnosis, staged: Staged, names: list[str]) -> bool:
    return any(
        finding["verdict"] == staged.verdict
        and all(name in f"{finding['sentence']} {finding['fix']}" for name in names)
        for finding in diagnosis.of(staged.check)
    )


@pytest.fixture
def diagnose(
    examine: Examine,
    examine_here: Callable[..., Diagnosis],
    otlp_receiver: OtlpReceiver,
    application: Callable[[str], dict[str, str]],
    addresses: dict[str, Any],
) -> Callable[[Staged], Diagnosis]:
    """Stage a fault and examine."""

    def stage(staged: Staged) -> Diagnosis:
        otlp_receiver.fault = staged.receiver
        variables = {name: value.format(**addresses) for name, value in staged.variables.items()}
        shown = application(staged.application) if staged.application else {}
        if staged.check in OF_THE_PROCESS:
            return examine(*(["--app", "examined:app"] if shown else []), **variables, **shown)
        return examine_here("examined:app" if shown else "", **variables, **shown)

    return stage


@pytest.mark.parametrize("staged", FAULTS.values(), ids=FAULTS)
def test_the_cause_and_its_fix_are_named(
    diagnose: Callable[[Staged], Diagnosis], addresses: dict[str, Any], staged: Staged
) -> None:
    names = [name.format(**addresses) for name in staged.names]
    diagnosis = diagnose(staged)
    assert _has(diagnosis, staged, names), diagnosis.troubles
    assert diagnosis.status == {"warning": 1, "error": 2}[diagnosis.document["verdict"]]
    assert all(finding["fix"] for finding in diagnosis.document["findings"] if finding["verdict"] != "ok")
    assert "hunter2" not in str(diagnosis.document)


def test_a_set_up_in_order_gives_no_reason_to_complain(examine: Examine, otlp_receiver: OtlpReceiver) -> None:
    diagnosis = examine("--app", "tests.integration.service.example:app")
    assert diagnosis.troubles == {}
    assert diagnosis.status == 0
    (span,) = otlp_receiver.spans
    assert (span["name"], span["resource"]["service.name"]) == ("doctor probe", "mita-otel-doctor")
    assert otlp_receiver.log_records == []
    assert {request.signal for request in otlp_receiver.requests} == {"traces", "metrics", "logs"}
    assert "the probe span is in Jaeger" in diagnosis.of("arrival")[0]["sentence"]


def test_a_span_that_is_accepted_and_never_arrives_is_told(
    examine_here: Callable[..., Diagnosis], jaeger: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    jaeger.forgetful = True
    monkeypatch.setattr(looking, "PATIENCE", 0.5)
    (finding,) = examine_here().of("arrival")
    assert finding["verdict"] == "warning"
    assert jaeger.url in finding["sentence"]
    assert "MITA_JAEGER_URL" in finding["fix"]


def test_a_jaeger_that_was_named_and_does_not_answer_is_told(examine_here: Callable[..., Diagnosis]) -> None:
    diagnosis = examine_here(MITA_JAEGER_URL=f"http://127.0.0.1:{find_free_port()}")
    assert "MITA_JAEGER_URL" in diagnosis.troubles["arrival"]


def test_a_second_distribution_is_told_while_nothing_is_chosen(examine: Examine, installed: Callable[..., str]) -> None:
    folder = installed("vanilla-distro", "1.0", entry_points=SECOND_DISTRIBUTION, vanilla="class Distro: ...")
    diagnosis = examine(PYTHONPATH=folder)
    assert "vanilla-distro is installed, too" in diagnosis.troubles["distribution"]
    assert "OTEL_PYTHON_DISTRO=mita and OTEL_PYTHON_CONFIGURATOR=mita" in diagnosis.of("distribution")[0]["fix"]
    chosen = examine(PYTHONPATH=folder, OTEL_PYTHON_DISTRO="mita", OTEL_PYTHON_CONFIGURATOR="mita")
    assert chosen.troubles == {}


@pytest.mark.parametrize(
    ("package", "version", "check"),
    [
        ("opentelemetry-sdk", "1.44.0", "versions"),
        ("opentelemetry-instrumentation", "0.65b0", "versions"),
        ("protobuf", "3.20.3", "protobuf"),
        ("googleapis-common-protos", "1.0", "protobuf"),
    ],
)
def test_a_package_of_another_version_is_named_with_both(
    examine: Examine, installed: Callable[..., str], package: str, version: str, check: str
) -> None:
    folder = installed(package, version)
    diagnosis = examine(PYTHONPATH=folder)
    findings = [one for one in diagnosis.of(check) if one["verdict"] == "error"]
    assert diagnosis.status == 2
    assert findings
    assert all(f"{version} is installed in {folder}" in one["sentence"] for one in findings)
    assert all(f"needs {package}" in one["sentence"] for one in findings)
    assert all("pip install" in one["fix"] for one in findings)


def test_protobuf_that_cannot_be_imported_is_named_and_the_doctor_still_works(
    examine: Examine, installed: Callable[..., str]
) -> None:
    folder = installed("google-something", "1.0", google="")
    diagnosis = examine(PYTHONPATH=folder)
    assert "google.protobuf" in diagnosis.troubles["protobuf"]
    assert "PYTHONPATH" in next(one["fix"] for one in diagnosis.of("protobuf"))
    assert "start" not in diagnosis.troubles  # telemetry is written without it
    assert diagnosis.status == 2


def test_a_library_that_cannot_be_instrumented_is_named_with_the_reason(
    examine: Examine, installed: Callable[..., str]
) -> None:
    folder = installed("redis", "99.0", redis="__version__ = '99.0'")
    diagnosis = examine(PYTHONPATH=folder)
    assert "redis 99.0 could not be instrumented: ModuleNotFoundError" in diagnosis.troubles["instrumentations"]
    fix = next(one["fix"] for one in diagnosis.of("instrumentations") if one["verdict"] == "error")
    assert "install a version of redis that mita-otel knows" in fix
