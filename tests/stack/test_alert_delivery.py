"""A real Alertmanager: who is told, what keeps silent, and that nothing is lost when those who are told fail."""

import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from mita_otel.alerts import ALERTS
from mita_otel.alerts.inhibitions import INHIBITIONS, Inhibition
from mita_otel.errors import Severity
from mita_otel.errors.alerting import Alertmanager
from mita_otel.errors.groups import Alert
from tests.fixtures.polling import eventually
from tests.stack.alerting import Manager, alert, manager_running
from tests.unit.errors.test_groups import ERROR

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(120)]

SEVERITIES = {"MitaErrorThreshold": "high", **{each.name: each.severity for each in ALERTS}}


@pytest.fixture(scope="module")
def manager(binaries: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Manager]:
    with manager_running(tmp_path_factory.mktemp("alerts"), binaries) as running:
        yield running
        assert running.sinks.refused == []


@pytest.fixture
def service() -> str:
    """A name that no other test's alerts bear."""
    return f"shop-{uuid4().hex[:8]}"


def ways(manager: Manager, service: str, status: str = "firing") -> set[str]:
    return {message.channel for message in manager.sinks.told(about=service, status=status)}


PAGED = {"pagerduty", "slack", "email", "webhook"}


def test_each_severity_reaches_its_channels_and_resolves_there(manager: Manager, service: str) -> None:
    named = {"page": "critical", "ticket": "warning", "info": "info"}
    expected = {"page": PAGED, "ticket": {"slack", "email", "webhook"}, "info": {"slack", "webhook"}}
    alerts = [
        alert("MitaHighErrorRate", severity, service_name=f"{service}-{route}") for route, severity in named.items()
    ]
    manager.post(*alerts)
    eventually(lambda: {route: ways(manager, f"{service}-{route}") for route in named} == expected)
    manager.end(*alerts)
    eventually(lambda: {route: ways(manager, f"{service}-{route}", "resolved") for route in named} == expected)


def test_pagerduty_closes_the_incident_that_it_opened(manager: Manager, service: str) -> None:
    page = alert("MitaServiceDown", "critical", service_name=service)
    page["annotations"]["runbook_url"] = "https://docs.example/runbooks/service-down"
    manager.post(page)
    (opened,) = eventually(lambda: manager.sinks.told(channel="pagerduty", about=service))
    manager.end(page)
    (closed,) = eventually(lambda: manager.sinks.told(channel="pagerduty", about=service, status="resolved"))
    assert closed.content["dedup_key"] == opened.content["dedup_key"]
    assert opened.content["links"] == [{"href": "https://docs.example/runbooks/service-down", "text": "Runbook"}]


def test_what_a_service_tells_by_itself_goes_where_its_severity_says(manager: Manager, service: str) -> None:
    teller = Alertmanager(manager.url, {"service_name": service})
    occurrence = replace(ERROR, fingerprint=service, at=time.time())
    teller.tell(Alert(severity=Severity.CRITICAL, occurrence=occurrence, since_last=1, cools_for=300.0))
    eventually(lambda: ways(manager, service) == PAGED)
    (message,) = manager.sinks.told(channel="slack", about=service)
    assert message.alert == "MitaErrorThreshold"
    assert "ValueError (SYSTEM_9001) happened 1 times" in message.content["attachments"][0]["text"]


def test_what_somebody_else_wrote_adds_no_header_no_script_and_no_call_of_everybody(
    manager: Manager, service: str
) -> None:
    page = alert("MitaHighErrorRate", "critical", service_name=service)
    page["annotations"]["summary"] = "</title><script>\r\nBcc: everybody@shop.example\r\n\r\n<!channel> " + "x" * 5_000
    manager.post(page)
    eventually(lambda: ways(manager, service) == PAGED)
    mail, slack = (manager.sinks.told(about=service, channel=channel)[0].content for channel in ("email", "slack"))
    assert "<script>" not in mail["text/html"]
    assert "<!channel>" not in str(slack)


def test_alerts_of_one_name_and_service_are_one_message(manager: Manager, service: str) -> None:
    alerts = [
        alert("MitaDatabaseDown", "critical", service_name=service, db_client_connection_pool_name=f"pool-{number}")
        for number in range(3)
    ]
    manager.post(*alerts)
    eventually(lambda: ways(manager, service) == PAGED)

    def told() -> list[int]:
        return [len(message.content["alerts"]) for message in manager.sinks.told(channel="webhook", about=service)]

    # One that came a moment before the others may have been told of already.
    eventually(lambda: told()[-1] == 3)
    assert len(told()) <= 2


def test_the_watchdog_is_told_to_its_own_webhook_again_and_again_and_its_end_is_not(manager: Manager) -> None:
    watchdog = alert("MitaWatchdog", "info")
    manager.post(watchdog)
    eventually(lambda: len(manager.sinks.told(channel="watchdog")) >= 3)
    manager.end(watchdog)
    eventually(lambda: ("MitaWatchdog", "") not in manager.states())
    assert {(each.channel, each.status) for each in manager.sinks.told(alert="MitaWatchdog")} == {
        ("watchdog", "firing")
    }


def of(inhibition: Inhibition, service: str, further: tuple[str, ...]) -> dict[str, str]:
    """Labels of an alert that takes part in an inhibition: those that must agree, and what its matchers ask for."""
    labels = {"service_name": service} if "service_name" in inhibition.equal else {}
    labels |= {label: f"{service}-{label}" for label in inhibition.equal if label not in labels}
    for matcher in further:
        label, _, value = matcher.partition("=")
        labels[label] = value.lstrip("~").strip('"').replace(".*", "otlp/").split("|")[0]
    return labels


@pytest.mark.parametrize("inhibition", INHIBITIONS, ids=lambda inhibition: inhibition.name.replace(" ", "-"))
def test_a_cause_silences_its_symptoms_and_nothing_of_anybody_else(
    manager: Manager, service: str, inhibition: Inhibition
) -> None:
    cause = inhibition.cause[0]
    silenced = f"{service}-silenced"

    def posted(name: str, tag: str, service: str, further: tuple[str, ...]) -> dict[str, object]:
        made = alert(name, SEVERITIES[name], drill=tag)
        made["labels"] |= of(inhibition, service, further)
        return made

    reasons = [posted(cause, f"{service}-cause", service, inhibition.only)]
    symptoms = [posted(name, silenced, service, inhibition.among) for name in inhibition.symptoms]
    manager.post(*reasons, *symptoms)

    def suppressed() -> set[str]:
        # By one cause at least: some are symptoms of another symptom, too.
        states = manager.states(f'drill="{silenced}"')
        return {name for (name, _), (state, causes) in states.items() if state == "suppressed" and causes}

    eventually(lambda: suppressed() == set(inhibition.symptoms))
    if "service_name" in inhibition.equal:
        # Each of a service of its own: a symptom of one may be the cause of another.
        others = [
            posted(name, f"{service}-other", f"{service}-{name}", inhibition.among) for name in inhibition.symptoms
        ]
        manager.post(*others)
        assert set(eventually(lambda: manager.states(f'drill="{service}-other"')).values()) == {("active", 0)}
        manager.end(*others)
    manager.end(*reasons, *symptoms)


def test_a_database_that_is_down_is_the_only_message_of_its_service(manager: Manager, service: str) -> None:
    names = ("MitaHighErrorRate", "MitaHighLatency", "MitaSlowDatabaseQueries", "MitaErrorBudgetBurnFast")
    manager.post(alert("MitaDatabaseDown", "critical", service_name=service))
    # A tenth of a second, as which ten seconds go by here, may be too short for Alertmanager to know of the cause.
    eventually(lambda: ways(manager, service) == PAGED)
    manager.post(*(alert(name, SEVERITIES[name], service_name=service) for name in names))
    # A ticket's group has been looked at by then, and a page's at least twice.
    probe = alert("MitaCacheDown", "warning", service_name=f"{service}-probe")
    manager.post(probe)
    eventually(lambda: ways(manager, f"{service}-probe"))
    assert {message.alert for message in manager.sinks.told(about=service)} == {"MitaDatabaseDown"}


@pytest.mark.parametrize(
    ("channel", "statuses"),
    [
        ("pagerduty", (500, 503)),
        ("pagerduty", (429, 429)),
        ("slack", (500, 502)),
        ("slack", (429,)),
        ("webhook", (500, 500)),
        ("webhook", (429,)),
        ("email", (451, 451)),
    ],
    ids=lambda given: given if isinstance(given, str) else "-".join(map(str, given)),
)
def test_a_receiver_that_fails_first_is_told_in_the_end_and_once(
    manager: Manager, service: str, channel: str, statuses: tuple[int, ...]
) -> None:
    manager.sinks.fail(channel, *statuses)
    manager.post(alert("MitaHighErrorRate", "critical", service_name=service))
    eventually(lambda: ways(manager, service) == PAGED)
    assert {way: len(manager.sinks.told(about=service, channel=way)) for way in PAGED} == dict.fromkeys(PAGED, 1)


def test_what_nobody_took_at_once_is_counted_so_that_an_alert_can_tell_of_it(manager: Manager, service: str) -> None:
    before = manager.counted("alertmanager_notifications_failed_total")
    manager.sinks.fail("webhook", 429)
    manager.post(alert("MitaHighErrorRate", "critical", service_name=service))
    eventually(lambda: ways(manager, service) == PAGED)
    assert manager.counted("alertmanager_notifications_failed_total") == before + 1


def test_a_template_that_is_broken_is_refused_and_the_old_one_goes_on(manager: Manager, service: str) -> None:
    own = manager.folder / "templates" / "own.tmpl"
    own.write_text('{{ define "mita.title" }}\n{{ nobody.knows }}{{ end }}')
    answer = manager.reload()
    own.unlink()
    assert (answer.status_code, "own.tmpl:2" in answer.text) == (500, True)
    assert manager.counted("alertmanager_config_last_reload_successful") == 0
    manager.post(alert("MitaHighErrorRate", "critical", service_name=service))
    eventually(lambda: ways(manager, service) == PAGED)
    assert manager.reload().status_code == 200


def test_a_silence_keeps_what_it_names_and_nothing_else(
    manager: Manager, binaries: Mapping[str, Path], service: str
) -> None:
    amtool(binaries, manager, "silence", "add", "--duration=1h", "--comment=works on it", "--author=me",
           f"service_name={service}", "alertname=MitaHighLatency")  # fmt: skip
    manager.post(
        alert("MitaHighLatency", "warning", service_name=service),
        alert("MitaServiceDown", "critical", service_name=f"{service}-other"),
    )
    eventually(lambda: manager.states(f'service_name="{service}"') == {("MitaHighLatency", service): ("suppressed", 0)})
    eventually(lambda: ways(manager, f"{service}-other") == PAGED)
    assert manager.sinks.told(about=service) == []


def amtool(binaries: Mapping[str, Path], manager: Manager, *words: str) -> None:
    command = [str(binaries["amtool"]), f"--alertmanager.url={manager.url}", *words]
    subprocess.run(command, capture_output=True, check=True)
