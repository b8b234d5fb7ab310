"""Resilience and health: what a service in trouble told, as it is seen."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Looker
from tests.browser.console import Console
from tests.browser.test_accessibility import violations
from tests.fixtures.service import ServiceProcess

SERVICE = "troubled"


@pytest.fixture(scope="module")
def trouble(console: Console, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A service in trouble has come and gone, and all that it told is here."""
    environment = {
        "OTEL_SERVICE_NAME": SERVICE,
        "OTEL_EXPORTER_OTLP_ENDPOINT": console.url,
        "MITA_RATE_LIMITING": "true",
        "PYTHONPATH": ".",
    }
    command = ["opentelemetry-instrument", "python", "-m", "tests.browser.troubled"]
    service = ServiceProcess(command, environment, tmp_path_factory.mktemp("trouble"))
    try:
        assert service.wait(60) == 0, service.stderr
    finally:
        service.kill()


@pytest.fixture(scope="module")
def quiet(browser: Browser, console: Console) -> Iterator[Page]:
    looker = Looker(browser, console.url)
    yield looker("#/services")
    looker.close()


def row(page: Page, table: str, name: str) -> Any:
    return page.get_by_role("table", name=table, exact=True).get_by_role("row", name=re.compile(f"^{name} "))


def test_what_protects_calls_is_seen_at_work(look: Looker, trouble: None) -> None:
    page = look(f"#/resilience?service={SERVICE}")
    expect(row(page, "Circuit breakers", "bank")).to_contain_text(re.compile(r"open.*3100 %1"))
    expect(page.get_by_role("img", name=re.compile("History of bank: closed since .*, open since "))).to_be_visible()
    expect(row(page, "Features", "tips")).to_contain_text(re.compile(r"generic.*failure.*02$"))
    expect(row(page, "Feature flags", "tips")).to_contain_text("default 2")
    expect(row(page, "Retries", "rates")).to_contain_text(re.compile(r"263\.00attempts 2"))
    expect(row(page, "Rate limits", "balance")).to_contain_text(re.compile(r"42, 33\.3 %"))
    expect(page.locator(".backends")).to_contain_text("each process counts by itself 1 process known")
    expect(row(page, "Timeouts", SERVICE)).to_contain_text("1")


def test_a_breaker_s_history_leads_to_its_traces_by_keyboard(look: Looker, trouble: None) -> None:
    page = look(f"#/resilience?service={SERVICE}")
    expect(row(page, "Circuit breakers", "bank")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    panel = page.get_by_role("complementary")
    expect(panel).to_contain_text("rejected 1, failure 3")
    expect(panel.get_by_role("row", name=re.compile("closed → open failures"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.go_back()
    panel.get_by_role("link", name="cause 1").click()
    expect(page.locator(".line").first).to_contain_text("/balance")


def test_a_service_is_as_well_as_its_checks(look: Looker, trouble: None) -> None:
    page = look(f"#/health?service={SERVICE}")
    expect(page.locator(".wellness")).to_contain_text(re.compile(rf"{SERVICE}\s*unhealthy\s*not ready"))
    expect(row(page, f"Checks of {SERVICE}", "database")).to_contain_text(re.compile(r"unhealthy.*[µm]s1"))
    page.get_by_role("link", name="database").click()
    expect(page.get_by_role("complementary")).to_contain_text("ConnectionRefusedError")
    page.get_by_role("link", name="last failing trace").click()
    expect(page.locator("h1")).to_contain_text("check database")


def test_errors_are_grouped_and_lead_to_their_lines(look: Looker, trouble: None) -> None:
    page = look(f"#/health?service={SERVICE}")
    reset = row(page, "Groups of errors", "ConnectionResetError")
    expect(reset).to_contain_text(re.compile(r"SYSTEM_9001high3"))
    expect(reset.get_by_role("img", name=re.compile("^3 errors, most of them, 3, at "))).to_be_visible()
    reset.get_by_role("link", name="ConnectionResetError").click()
    expect(page.get_by_role("complementary")).to_contain_text(re.compile(r"Alerts\d\d:\d\d:\d\d"))
    reset.get_by_role("link", name="log lines").click()
    expect(page.locator(".logs .row")).to_have_count(4)  # three errors, and the alert


def test_a_service_that_tells_nothing_is_told_what_to_do(look: Looker, trouble: None) -> None:
    page = look("#/resilience?service=nobody")
    expect(page.locator(".nothing")).to_contain_text('CircuitBreaker("bank"')
    page.keyboard.press("6")
    expect(page.get_by_role("heading", name="Health")).to_be_visible()
    page.goto(page.url + "?service=nobody")
    expect(page.locator(".nothing")).to_contain_text("watching(app")


@pytest.mark.parametrize(
    "chosen", [f"resilience?chosen=breaker/{SERVICE}/bank", f"health?chosen=check/{SERVICE}/database"]
)
def test_axe_finds_nothing_serious_in_the_panel(look: Looker, trouble: None, chosen: str) -> None:
    page = look(f"#/{chosen}")
    expect(page.get_by_role("complementary")).to_be_visible()
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param([], [("open", 10, 20)], id="none"),
        pytest.param([(15, "closed", "open")], [("closed", 10, 15), ("open", 15, 20)], id="one"),
        pytest.param([(5, "closed", "open")], [("open", 10, 20)], id="earlier"),
        pytest.param([(15, "half_open", "open"), (5, "closed", "open")], [("open", 10, 20)], id="the-same-again"),
        pytest.param([(15, "", "open")], [("", 10, 15), ("open", 15, 20)], id="first"),
    ],
)
def test_a_stretch_of_time_is_parted_by_the_changes_in_it(
    quiet: Page, changes: list[tuple[int, str, str]], expected: list[tuple[str, int, int]]
) -> None:
    given = [{"time": time, "before": before, "after": after} for time, before, after in changes]
    found = quiet.evaluate(
        "async given => (await import('/assets/parts/history.js')).segments(given, 'open', [10, 20])", given
    )
    assert [(one["state"], one["from"], one["to"]) for one in found] == expected
