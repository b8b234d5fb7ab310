"""Each check judges facts alone: what is in order is ok, each fault has a verdict, a cause and a fix."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.doctor.checks import CHECKS
from mita_otel.doctor.facts.model import EntryPoint, Facts, Instrumentor, Library, Live, Packages, Unmet
from mita_otel.doctor.model import Finding, Verdict, worst
from mita_otel.settings import Settings
from tests.unit.doctor.conftest import (
    ENTRY_POINTS,
    SAMPLER,
    application,
    delivery,
    look,
    process,
    queue,
)

NAMES = [check.name for check in CHECKS]


def found(facts: Facts, name: str) -> list[Finding]:
    """What one check says."""
    return next(check for check in CHECKS if check.name == name)(facts)


def only_trouble(facts: Facts, name: str) -> Finding:
    (finding,) = [finding for finding in found(facts, name) if finding.verdict is not Verdict.OK]
    return finding


def set_to(facts: Facts, **variables: str) -> Facts:
    """The facts with variables set."""
    return replace(facts, variables=variables, settings=Settings.read_leniently(variables)[0])


def changed(facts: Facts, **changes: Any) -> Facts:
    """The facts with a process of another kind."""
    return replace(facts, process=process(**changes))


def test_names_are_single_words_and_used_once() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert all(name.isalpha() and name.islower() for name in NAMES)


def test_where_all_is_in_order_every_check_is_content(in_order: Facts) -> None:
    findings = [finding for check in CHECKS for finding in check(in_order)]
    assert [finding for finding in findings if finding.verdict is not Verdict.OK] == []
    assert {finding.check for finding in findings} == set(NAMES) - {"unknown"}
    assert all(finding.sentence and not finding.fix for finding in findings)


def test_without_facts_a_check_says_nothing_or_what_the_settings_tell() -> None:
    findings = [finding for check in CHECKS for finding in check(Facts())]
    assert worst(findings) is Verdict.OK
    assert {finding.check for finding in findings} == {"settings", "exporters", "propagators", "sentry"}


def test_what_could_not_be_found_out_is_an_error(in_order: Facts) -> None:
    finding = only_trouble(replace(in_order, unknown={"the packages": "OSError: disk"}), "unknown")
    assert finding.sentence == "the packages could not be looked at: OSError: disk"


def test_a_sentence_is_one_line_without_secrets(in_order: Facts) -> None:
    facts = replace(in_order, problems={"X": "X='password=hunter2\x1b[31m\n' is not allowed"})
    finding = only_trouble(facts, "settings")
    assert "hunter2" not in finding.sentence
    assert finding.sentence.isprintable()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("OTEL_TRACE_EXPORTER", "OTEL_TRACES_EXPORTER"),
        ("MITA_LOGS_FORMAT", "MITA_LOG_FORMAT"),
        ("OTEL_PYTHON_FLASK_EXCLUDED_URLS", None),
        ("MITA_DATABASE_URL", None),
        ("OTEL_COLLECTOR_NAME", None),
    ],
)
def test_only_a_name_that_is_almost_a_known_one_is_called_misspelled(
    in_order: Facts, name: str, meant: str | None
) -> None:
    known = frozenset({"OTEL_TRACES_EXPORTER", "MITA_LOG_FORMAT", "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS"})
    findings = found(replace(set_to(in_order, **{name: "x"}), known=known), "settings")
    told = [finding.fix for finding in findings if finding.verdict is Verdict.WARNING]
    assert [meant in fix for fix in told if meant] == ([True] if meant else [])
    assert len(told) == (meant is not None)


def test_a_package_found_twice_is_a_warning(in_order: Facts) -> None:
    packages = Packages(copies={"protobuf": ("3.20.0", "7.1")})
    finding = only_trouble(replace(in_order, packages=packages), "versions")
    assert "as 3.20.0 and 7.1: the first is used" in finding.sentence


def test_a_package_that_is_missing_is_an_error_with_the_command_that_installs_it(in_order: Facts) -> None:
    packages = Packages(unmet=(Unmet("orjson", ">=3.11", None, "", "mita-otel"),))
    finding = only_trouble(replace(in_order, packages=packages), "versions")
    assert finding.sentence == "mita-otel needs orjson>=3.11, but it is not installed"
    assert finding.fix == "pip install 'orjson>=3.11'"


def test_a_distribution_that_is_not_registered_is_told(in_order: Facts) -> None:
    findings = found(replace(in_order, packages=Packages()), "distribution")
    assert {finding.sentence for finding in findings if finding.verdict is Verdict.ERROR} == {
        "the distribution 'mita' is not registered",
        "the configurator 'mita' is not registered",
    }


def test_a_chosen_distribution_that_is_not_installed_is_told_so(in_order: Facts) -> None:
    finding = only_trouble(set_to(in_order, OTEL_PYTHON_DISTRO="splunk"), "distribution")
    assert "which is not installed" in finding.sentence


def test_a_chosen_distribution_that_is_installed_is_told_so(in_order: Facts) -> None:
    other = EntryPoint("opentelemetry_distro", "splunk", "splunk-opentelemetry")
    facts = replace(
        set_to(in_order, OTEL_PYTHON_DISTRO="splunk"), packages=Packages(entry_points=(*ENTRY_POINTS, other))
    )
    finding = only_trouble(facts, "distribution")
    assert "which is not installed" not in finding.sentence
    assert finding.verdict is Verdict.ERROR


def test_one_package_that_offers_both_is_told_once(in_order: Facts) -> None:
    others = (
        EntryPoint("opentelemetry_distro", "distro", "opentelemetry-distro"),
        EntryPoint("opentelemetry_configurator", "configurator", "opentelemetry-distro"),
    )
    facts = replace(in_order, packages=Packages(entry_points=(*ENTRY_POINTS, *others)))
    finding = only_trouble(facts, "distribution")
    assert finding.verdict is Verdict.WARNING
    assert "pip uninstall opentelemetry-distro" in finding.fix


def test_a_process_that_starts_without_telemetry_for_no_reason_known_is_an_error(in_order: Facts) -> None:
    finding = only_trouble(changed(in_order, ours=False, providers={"traces": "a.ProxyTracerProvider"}), "start")
    assert "a.ProxyTracerProvider" in finding.sentence


@pytest.mark.parametrize(
    ("variables", "verdict"),
    [
        ({"OTEL_LOGS_EXPORTER": "none"}, Verdict.WARNING),
        ({"OTEL_TRACES_EXPORTER": "otlp,zipkin"}, Verdict.ERROR),
        ({f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}, Verdict.ERROR),
    ],
)
def test_signals_that_go_nowhere_are_told(in_order: Facts, variables: dict[str, str], verdict: Verdict) -> None:
    finding = only_trouble(set_to(in_order, **variables), "exporters")
    assert finding.verdict is verdict
    assert all(name in finding.fix for name in variables)


@pytest.mark.parametrize(
    ("path", "fast", "sentence"),
    [
        ("direct", "true", "log records are encoded directly"),
        ("sdk", "true", "for a processor was added"),
        ("sdk", "false", "for MITA_FAST_PATH is false"),
    ],
)
def test_the_path_of_log_records_is_named(in_order: Facts, path: str, fast: str, sentence: str) -> None:
    (finding,) = found(changed(set_to(in_order, MITA_FAST_PATH=fast), logs=path), "logs")
    assert finding.verdict is Verdict.OK
    assert sentence in finding.sentence


def test_the_worst_clock_is_told_and_its_direction(in_order: Facts) -> None:
    facts = replace(in_order, deliveries=(delivery(ahead=2.0), delivery("logs", ahead=-30.0)))
    finding = only_trouble(facts, "clock")
    assert finding.verdict is Verdict.WARNING
    assert finding.sentence == "the clock of http://localhost:4318/v1/logs is 30 s behind this host's"


@given(st.floats(-1e6, 1e6))
def test_a_clock_is_judged_by_how_far_it_is_off(ahead: float) -> None:
    findings = found(Facts(deliveries=(delivery(ahead=ahead),)), "clock")
    expected = Verdict.OK if abs(ahead) < 5 else Verdict.WARNING if abs(ahead) < 60 else Verdict.ERROR
    assert [finding.verdict for finding in findings] == [expected]


def test_without_an_api_that_answers_the_span_is_not_looked_for(in_order: Facts) -> None:
    facts = replace(in_order, looks=(look(answers=False, found=False),))
    (finding,) = found(facts, "arrival")
    assert finding.verdict is Verdict.OK
    assert "not looked for" in finding.sentence


def test_a_span_found_in_one_place_is_enough(in_order: Facts) -> None:
    facts = replace(in_order, looks=(look(where="console", answers=False, found=False, given=True), look()))
    (finding,) = found(facts, "arrival")
    assert finding.sentence == "the probe span is in Jaeger at http://j:16686, after 1.0 s"


@pytest.mark.parametrize(
    ("root", "variables", "told"),
    [
        ("AlwaysOffSampler", {"OTEL_TRACES_SAMPLER": "always_off"}, "error OTEL_TRACES_SAMPLER=always_off"),
        ("TraceIdRatioBased{0.0}", {"OTEL_TRACES_SAMPLER_ARG": "0"}, "error OTEL_TRACES_SAMPLER_ARG=0"),
        ("TraceIdRatioBased{0.0001}", {"OTEL_TRACES_SAMPLER_ARG": "0.0001"}, "warning OTEL_TRACES_SAMPLER_ARG=0.0001"),
        ("AlwaysOnSampler", {"OTEL_TRACES_SAMPLER": "most"}, "warning OTEL_TRACES_SAMPLER=most"),
        ("AlwaysOnSampler", {"OTEL_TRACES_SAMPLER": "traceidratio"}, "warning OTEL_TRACES_SAMPLER_ARG="),
    ],
)
@pytest.mark.parametrize("form", ["%s", SAMPLER])
def test_a_sampler_that_keeps_little_or_is_not_the_one_meant_is_told(
    in_order: Facts, root: str, variables: dict[str, str], told: str, form: str
) -> None:
    finding = only_trouble(set_to(changed(in_order, sampler=form % root), **variables), "sampler")
    assert f"{finding.verdict} {finding.sentence}".startswith(told)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "the fast path"),
        ({"spans": "sdk"}, "the SDK's own spans, for MITA_FAST_PATH is false: they cost three to four times as much"),
        (
            {"span_copies": ("BatchSpanProcessor",), "sampler_asked": True, "sampler": "Mine"},
            "the fast path, but each is copied for BatchSpanProcessor and Mine is asked about each",
        ),
    ],
)
def test_the_path_of_spans_is_told_and_why(in_order: Facts, changes: dict[str, Any], told: str) -> None:
    (finding,) = found(changed(in_order, **changes), "spans")
    assert (finding.verdict, finding.sentence) == (Verdict.OK, told)


@pytest.mark.parametrize(
    ("slow", "told"),
    [
        ((), "the fast path"),
        (("exponential histograms",), "the fast path, but the SDK adds up for exponential histograms"),
    ],
)
def test_the_path_of_measurements_is_told_and_why(in_order: Facts, slow: tuple[str, ...], told: str) -> None:
    (finding,) = found(changed(in_order, slow_metrics=slow), "measurements")
    assert (finding.verdict, finding.sentence) == (Verdict.OK, told)


def test_a_share_of_the_traces_is_in_order(in_order: Facts) -> None:
    variables = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"}
    facts = set_to(changed(in_order, sampler=SAMPLER % "TraceIdRatioBased{0.25}"), **variables)
    (finding,) = found(facts, "sampler")
    assert finding.sentence == "25.0% of the traces that begin here are recorded"


@pytest.mark.parametrize(
    ("value", "verdict", "fix"),
    [
        ("none", Verdict.ERROR, "tracecontext,baggage"),
        ("baggage", Verdict.ERROR, "tracecontext,baggage"),
        ("jaeger", Verdict.ERROR, "opentelemetry-propagator-jaeger"),
    ],
)
def test_propagators_that_end_traces_are_told(in_order: Facts, value: str, verdict: Verdict, fix: str) -> None:
    finding = only_trouble(set_to(in_order, OTEL_PROPAGATORS=value), "propagators")
    assert finding.verdict is verdict
    assert fix in finding.fix


def test_another_propagator_alone_is_a_warning(in_order: Facts) -> None:
    b3 = EntryPoint("opentelemetry_propagator", "b3", "opentelemetry-propagator-b3")
    facts = replace(set_to(in_order, OTEL_PROPAGATORS="b3"), packages=Packages(entry_points=(*ENTRY_POINTS, b3)))
    finding = only_trouble(facts, "propagators")
    assert finding.verdict is Verdict.WARNING
    assert finding.fix == "set OTEL_PROPAGATORS=tracecontext,b3"


def test_attributes_that_cannot_be_read_are_counted_and_not_shown(in_order: Facts) -> None:
    finding = only_trouble(set_to(in_order, OTEL_RESOURCE_ATTRIBUTES="a=b,hunter2"), "resource")
    assert "1 of its entries" in finding.sentence
    assert "hunter2" not in finding.sentence


def libraries(*known: Library) -> dict[str, Any]:
    return {"libraries": known}


@pytest.mark.parametrize(
    ("library", "verdict", "names"),
    [
        (Library("redis", "8.1", imported=True, path="ours"), Verdict.OK, "redis 8.1: ours"),
        (Library("redis", "8.1"), Verdict.OK, "not imported"),
        (Library("redis", None), Verdict.OK, "not installed: redis"),
        (Library("redis", "8.1", imported=True), Verdict.ERROR, "mita-instrument"),
        (Library("redis", "9.9", failure="AttributeError: x"), Verdict.ERROR, "AttributeError: x"),
    ],
)
def test_each_library_is_told_with_the_reason(in_order: Facts, library: Library, verdict: Verdict, names: str) -> None:
    (finding,) = found(changed(in_order, **libraries(library)), "instrumentations")
    assert finding.verdict is verdict
    assert names in f"{finding.sentence} {finding.fix}"


@pytest.mark.parametrize("value", ["redis", "*", "django, redis"])
def test_a_library_that_the_user_disabled_is_a_warning(in_order: Facts, value: str) -> None:
    facts = changed(in_order, **libraries(Library("redis", "8.1", imported=True)))
    finding = only_trouble(set_to(facts, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=value), "instrumentations")
    assert finding.verdict is Verdict.WARNING
    assert "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS" in finding.fix


def test_contrib_that_does_not_know_a_version_is_told_unless_we_do_the_work(in_order: Facts) -> None:
    known = (Instrumentor("django", conflict="only django < 6"), Instrumentor("fastapi", conflict="only fastapi < 1"))
    finding = only_trouble(changed(in_order, instrumentors=known), "instrumentations")
    assert "django is not instrumented: only django < 6" in finding.sentence


@pytest.mark.parametrize(
    ("changes", "verdict", "names"),
    [
        ({"instrumentors": (Instrumentor("fastapi", active=True),)}, Verdict.ERROR, "instrumented twice"),
        ({"instrumentors": (Instrumentor("asgi", active=True),)}, Verdict.ERROR, "opentelemetry.instrumentation.asgi"),
        ({"instrumentors": (Instrumentor("logging", active=True),)}, Verdict.WARNING, "what mita_otel does"),
        ({"second_exporters": ("traces: x.OTLPSpanExporter",)}, Verdict.ERROR, "OTLPSpanExporter"),
        ({"log_handlers": ("x.LoggingHandler on root",)}, Verdict.ERROR, "LoggingHandler"),
        ({"agents": ("ddtrace",)}, Verdict.WARNING, "ddtrace"),
        ({"application": application(by_hand=("app.add_middleware(X)",))}, Verdict.ERROR, "app.add_middleware(X)"),
    ],
)
def test_whatever_is_done_twice_is_told(in_order: Facts, changes: dict[str, Any], verdict: Verdict, names: str) -> None:
    finding = only_trouble(changed(in_order, **changes), "doubles")
    assert finding.verdict is verdict
    assert names in f"{finding.sentence} {finding.fix}"


def test_a_driver_beneath_sqlalchemy_is_told(in_order: Facts) -> None:
    facts = changed(
        in_order,
        libraries=(Library("sqlalchemy", "2.1", imported=True, path="ours"),),
        instrumentors=(Instrumentor("psycopg", active=True),),
    )
    assert "psycopg is instrumented beside SQLAlchemy" in only_trouble(facts, "doubles").sentence


@pytest.mark.parametrize(
    ("native", "verdict", "names"),
    [
        ({"tracing": False}, Verdict.ERROR, "no spans"),
        ({"metrics": False}, Verdict.ERROR, "not measured"),
        ({"auto_configure": True}, Verdict.ERROR, "sent twice"),
        ({"operation_spans": True}, Verdict.WARNING, "four more spans"),
    ],
)
def test_native_telemetry_told_otherwise_by_the_application_is_told(
    in_order: Facts, native: dict[str, bool], verdict: Verdict, names: str
) -> None:
    finding = only_trouble(changed(in_order, application=application(native=native)), "fastapi")
    assert finding.verdict is verdict
    assert names in finding.sentence
    assert "FastAPI(telemetry={...})" in finding.fix


def test_an_old_fastapi_is_traced_by_contrib(in_order: Facts) -> None:
    (finding,) = found(changed(in_order, fastapi_native=False), "fastapi")
    assert (finding.verdict, "contrib" in finding.sentence) == (Verdict.OK, True)


def test_losses_are_told_with_their_worst_cause(in_order: Facts) -> None:
    lost = {"dropped_queue_full": 7, "refused": 2, "rejected": 0}
    finding = only_trouble(replace(in_order, live=Live(queues=(queue(lost=lost),))), "losses")
    assert finding.verdict is Verdict.WARNING
    assert finding.sentence == "traces: 9 lost and 1000 accepted since the start (7 dropped queue full, 2 refused)"
    assert "OTEL_BSP_MAX_QUEUE_SIZE" in finding.fix


def test_log_lines_that_were_lost_are_told_by_place(in_order: Facts) -> None:
    live = Live(queues=(queue(),), log_lines={"mita.log (write_failed)": 2, "stdout (stalled)": 1})
    finding = only_trouble(replace(in_order, live=live), "losses")
    assert finding.verdict is Verdict.WARNING
    assert finding.sentence == "log lines: 3 lost since the start (2 mita.log (write_failed), 1 stdout (stalled))"


def test_a_service_that_loses_everything_is_an_error(in_order: Facts) -> None:
    live = Live(queues=(queue(signal="logs", accepted=0, lost={"refused": 5}),))
    finding = only_trouble(replace(in_order, live=live), "losses")
    assert finding.verdict is Verdict.ERROR


@given(st.integers(1, 10_000), st.integers(0, 10_000))
def test_a_queue_is_judged_by_how_full_it_is(capacity: int, queued: int) -> None:
    live = Live(queues=(queue(signal="logs", capacity=capacity, queued=queued),))
    (finding,) = found(Facts(live=live), "queue")
    fill = queued / capacity
    expected = Verdict.OK if fill < 0.5 else Verdict.WARNING if fill < 0.9 else Verdict.ERROR
    assert finding.verdict is expected
    assert (finding.verdict is Verdict.OK) or "OTEL_BLRP_MAX_QUEUE_SIZE" in finding.fix


def test_metrics_which_have_no_queue_are_not_judged_by_one(in_order: Facts) -> None:
    live = Live(queues=(queue(signal="metrics", capacity=None),))
    assert found(replace(in_order, live=live), "queue") == []


def test_swallowed_faults_are_told_by_library(in_order: Facts) -> None:
    finding = only_trouble(replace(in_order, live=Live(faults={"redis": 3, "httpx": 0})), "faults")
    assert "redis failed 3 times" in finding.sentence


@given(st.lists(st.sampled_from(list(Verdict))))
def test_the_worst_verdict_is_that_of_all(verdicts: Iterable[Verdict]) -> None:
    order = [Verdict.OK, Verdict.WARNING, Verdict.ERROR]
    expected = order[max((order.index(verdict) for verdict in verdicts), default=0)]
    assert worst(Finding("c", verdict, "s") for verdict in verdicts) is expected
