"""The table of settings: values, sources, and no secret."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.report import diagnose
from mita_otel.doctor.settings import OTLP_VARIABLES, Row, as_given, mask, rows
from mita_otel.settings import OTEL_DEFAULTS, Settings, table

NAMES = [str(row["name"]) for row in table()]
SECRET = "hunter2hunter2hunter2"


def row(name: str, **variables: str) -> Row:
    return next(row for row in rows(variables) if row.name == name)


def test_every_setting_of_the_reference_page_has_a_row() -> None:
    assert [row.name for row in rows({})][: len(NAMES)] == NAMES


@pytest.mark.parametrize(
    ("name", "variables", "value", "source"),
    [
        ("MITA_STRICT", {}, "false", "default"),
        ("MITA_STRICT", {"MITA_STRICT": "1"}, "true", "environment"),
        ("MITA_LOG_FORMAT", {"MITA_LOG_FORMAT": "xml"}, "auto", "default, for the environment's is not allowed"),
        ("OTEL_METRIC_EXPORT_INTERVAL", {}, "15000", "mita-otel"),
        ("OTEL_SEMCONV_STABILITY_OPT_IN", {}, "http,database", "mita-otel"),
        ("OTEL_SEMCONV_STABILITY_OPT_IN", {"OTEL_SEMCONV_STABILITY_OPT_IN": "http"}, "http", "environment"),
        ("OTEL_TRACES_EXPORTER", {"OTEL_TRACES_EXPORTER": "otlp, console"}, "otlp,console", "environment"),
        ("OTEL_TRACES_EXPORTER", {"OTEL_TRACES_EXPORTER": " "}, "otlp", "default"),
        ("OTEL_BSP_EXPORT_TIMEOUT", {"OTEL_BSP_EXPORT_TIMEOUT": "1"}, "1", "environment"),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", {}, "http://localhost:4318/v1/logs", "default"),
        (
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:1"},
            "http://c:1/v1/logs",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ),
        (
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "c:1"},
            "http://localhost:4318/v1/logs",
            "default, for the environment's is not allowed",
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "3"}, "3.0", "environment"),
    ],
)
def test_a_row_tells_the_value_that_holds_and_its_source(
    name: str, variables: dict[str, str], value: str, source: str
) -> None:
    found = row(name, **variables)
    assert (found.value, found.source) == (value, source)
    assert found.allowed


def test_a_variable_is_told_once() -> None:
    names = [row.name for row in rows({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:1", "OTEL_SERVICE_NAME": "x"})]
    assert len(set(names)) == len(names)
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in names, "its value shows in the rows of the signals"


def test_a_services_variables_are_told_as_its_user_gave_them() -> None:
    written = {
        **OTEL_DEFAULTS,
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "django,mita-otel-instruments,fastapi",
        "A": "b",
    }
    assert as_given(written) == {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "django", "A": "b"}
    assert as_given({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "mita-otel-instruments,fastapi"}) == {}


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("MITA_ADMIN_TOKEN", SECRET, "[REDACTED]"),
        ("OTEL_EXPORTER_OTLP_HEADERS", f"x={SECRET}", "[REDACTED]"),
        ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", f"http://me:{SECRET}@z/", "http://[REDACTED]@z/"),
        ("OTEL_RESOURCE_ATTRIBUTES", f"service.version=1,api_key={SECRET}", "service.version=1,api_key=[REDACTED]"),
        ("OTEL_SERVICE_NAME", "line\nbreak\x1b[31m", "line break [31m"),
        ("OTEL_SERVICE_NAME", "orders", "orders"),
    ],
)
def test_a_value_is_shown_masked_on_one_line(name: str, value: str, shown: str) -> None:
    assert mask(name, value) == shown


SECRETS = st.sampled_from(
    [
        ("OTEL_EXPORTER_OTLP_HEADERS", f"authorization=Bearer%20{SECRET}"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", f"x-honeycomb-team={SECRET},broken"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://me:{SECRET}@c:4318"),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", f"https://c/v1/logs?api_key={SECRET}"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", f"me:{SECRET}@c"),
        ("OTEL_RESOURCE_ATTRIBUTES", f"password={SECRET}"),
        ("MITA_ADMIN_TOKEN", SECRET),
        ("MITA_ADMIN_TOKEN", SECRET[:15] + " "),
        ("MITA_CONSOLE_TOKEN", SECRET),
        ("MITA_JAEGER_URL", f"http://me:{SECRET}@j:16686"),
        ("MITA_CONSOLE_URL", f"me:{SECRET}@j"),
        ("OTEL_PYTHON_DISTRO", f"token={SECRET}"),
    ]
)


@given(st.dictionaries(st.sampled_from([*NAMES, *OTLP_VARIABLES]), st.text(max_size=10)), st.lists(SECRETS))
def test_no_report_holds_a_secret(variables: dict[str, str], secrets: list[tuple[str, str]]) -> None:
    together = {**variables, **dict(secrets)}
    settings, problem = Settings.read_leniently(together)
    facts = Facts(variables=together, settings=settings, problems=problem.problems if problem else {})
    document = diagnose(facts, together).as_json()
    assert SECRET[:15] not in document
    parsed: dict[str, Any] = json.loads(document)
    assert parsed["exit_code"] in {0, 1, 2}
