"""Settings come from a mapping; a value that is not allowed is named with what is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.settings import DEFAULT_EXCLUDED_PATHS, OTEL_DEFAULTS, Settings, SettingsError, apply_defaults, table


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.read({})
    assert (settings.strict, settings.shutdown_timeout, settings.log_format) == (False, 5.0, "auto")
    assert settings.excluded_paths == DEFAULT_EXCLUDED_PATHS
    assert settings.otlp["traces"].url == "http://localhost:4318/v1/traces"


def test_an_empty_value_counts_as_not_set() -> None:
    assert Settings.read({"MITA_SHUTDOWN_TIMEOUT": "", "OTEL_TRACES_EXPORTER": " "}) == Settings.read({})


def test_standard_variables_keep_their_meaning() -> None:
    settings = Settings.read(
        {
            "OTEL_TRACES_EXPORTER": "otlp, console",
            "OTEL_BSP_MAX_QUEUE_SIZE": "100",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
        }
    )
    assert settings.traces_exporter == ("otlp", "console")
    assert settings.span_queue_size == 100
    assert settings.otlp["logs"].url == "http://collector:4318/v1/logs"


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("MITA_STRICT", "maybe", "true or false"),
        ("MITA_SHUTDOWN_TIMEOUT", "soon", "seconds between 0.1 and 60"),
        ("MITA_SHUTDOWN_TIMEOUT", "0", "seconds between 0.1 and 60"),
        ("MITA_SHUTDOWN_TIMEOUT", "nan", "seconds between 0.1 and 60"),
        ("MITA_LOG_FORMAT", "xml", "auto, json, text or none"),
        ("MITA_LOG_LEVEL", "LOUD", "DEBUG, INFO, WARNING, ERROR or CRITICAL"),
        ("MITA_EXCLUDED_PATHS", "health", "each beginning with '/'"),
        ("MITA_INBOUND_CONTEXT", "never", "trust, link or ignore"),
        ("MITA_CARDINALITY_LIMIT", "1", "between 10 and 100000"),
        ("MITA_JAEGER_URL", "jaeger:16686", "URL"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "-1", "between 1 and 1000000"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "often", "milliseconds between 100 and 3600000"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector", "http"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "grpc"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0", "seconds above 0"),
    ],
)
def test_an_error_names_the_variable_the_value_and_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.read({name: value})
    problem = error.value.problems[name]
    assert problem.startswith(f"{name}={value!r} is not allowed")
    assert allowed in problem


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        Settings.read({"MITA_LOG_FORMAT": "xml", "OTEL_BSP_SCHEDULE_DELAY": "x", "OTEL_EXPORTER_OTLP_TIMEOUT": "x"})
    assert set(error.value.problems) == {"MITA_LOG_FORMAT", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_EXPORTER_OTLP_TIMEOUT"}


def test_lenient_reading_keeps_what_is_valid_and_reports_the_rest() -> None:
    settings, problem = Settings.read_leniently(
        {"MITA_LOG_FORMAT": "xml", "MITA_SHUTDOWN_TIMEOUT": "3", "OTEL_EXPORTER_OTLP_HEADERS": "no equals sign"}
    )
    assert (settings.log_format, settings.shutdown_timeout) == ("auto", 3.0)
    assert problem is not None
    assert set(problem.problems) == {"MITA_LOG_FORMAT", "OTEL_EXPORTER_OTLP_HEADERS"}


@given(st.dictionaries(st.sampled_from([str(row["name"]) for row in table()]), st.text(max_size=20)))
def test_lenient_reading_never_raises(variables: dict[str, str]) -> None:
    settings, _ = Settings.read_leniently(variables)
    assert settings.otlp.keys() == {"traces", "metrics", "logs"}


def test_defaults_for_the_sdk_give_way_to_what_is_set() -> None:
    variables = {"OTEL_METRIC_EXPORT_INTERVAL": "1000"}
    apply_defaults(variables)
    assert variables == {**OTEL_DEFAULTS, "OTEL_METRIC_EXPORT_INTERVAL": "1000"}


def test_every_setting_says_what_is_allowed() -> None:
    assert [row["name"] for row in table() if not row["allowed"]] == []


@pytest.mark.parametrize(
    "token", ["hunter2", "hunter2 hunter2 hunter2", "hünter2hünter2hünter2", "hunter2\x00hunter2-hunter2"]
)
def test_a_token_that_is_not_allowed_is_an_error_that_keeps_it_to_itself(token: str) -> None:
    with pytest.raises(SettingsError, match="MITA_ADMIN_TOKEN='\\[REDACTED\\]' is not allowed: it takes 16") as error:
        Settings.read({"MITA_ADMIN_TOKEN": token})
    assert "unter2" not in str(error.value)


def test_a_token_does_not_show_in_what_is_printed_of_the_settings() -> None:
    settings = Settings.read({"MITA_ADMIN_TOKEN": "0123456789abcdef\n"})
    assert settings.admin_token is not None
    assert settings.admin_token.get_secret_value() == "0123456789abcdef"
    assert "0123456789" not in f"{settings!r} {settings} {settings.model_dump()}"


def test_without_a_token_there_is_none() -> None:
    assert Settings.read({"MITA_ADMIN_TOKEN": " "}).admin_token is None
