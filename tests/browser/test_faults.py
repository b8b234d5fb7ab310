"""A console that fails or is away."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Looker
from tests.browser.console import Console, console_running
from tests.browser.reference import Story
from tests.browser.telemetry import Sender, Trace


@pytest.fixture
def own_console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console of the test's own, to end and to start again."""
    with console_running(tmp_path_factory.mktemp("own")) as running:
        yield running


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("#/traces", "**/api/console/traces?*"),
        ("#/traces/{failed}", "**/api/console/traces/*"),
        ("#/logs", "**/api/console/logs?*"),
        ("#/metrics", "**/api/console/metrics"),
        ("#/metrics/http.server.request.duration", "**/api/console/metrics/*"),
        ("#/services", "**/api/console/map?*"),
    ],
)
def test_a_failure_is_told_in_place_and_can_be_tried_again(look: Looker, story: Story, address: str, path: str) -> None:
    page = look("#/logs" if address == "#/services" else "#/services")
    page.route(path, lambda route: route.fulfill(status=500, body="broken"))
    page.evaluate("to => { location.hash = to }", address.format(failed=story.failed))
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The console answered 500.")
    page.unroute(path)
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_have_count(0)
    look.complaints.clear()  # a browser notes every answer that is no success


def test_an_answer_that_is_no_json_is_told(look: Looker) -> None:
    page = look("#/logs")
    page.route("**/api/console/traces?*", lambda route: route.fulfill(status=200, body="<html>"))
    page.keyboard.press("1")
    expect(page.get_by_role("alert")).to_contain_text("is something else listening on this port?")


def test_the_page_goes_on_when_a_console_that_was_away_is_back(browser: Browser, own_console: Console) -> None:
    made = Trace()
    made.span("kept", "before the end", 0, 5)
    Sender(own_console.url).send(made.spans)
    looker = Looker(browser, own_console.url)
    page = looker("#/traces")
    expect(page.locator(".traces .row")).to_have_count(1)
    own_console.kill()
    page.keyboard.press("r")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The console does not answer.")
    expect(page.get_by_role("contentinfo")).to_contain_text("the console does not answer")
    own_console.restart()
    expect(alert).to_have_count(0)
    expect(page.locator(".traces .row")).to_contain_text("before the end")
    looker.close()


def test_an_empty_console_says_how_to_fill_it(browser: Browser, own_console: Console) -> None:
    looker = Looker(browser, own_console.url)
    page = looker()
    expect(page.get_by_text("No traces yet")).to_be_visible()
    expect(page.locator("pre")).to_contain_text(f"OTEL_EXPORTER_OTLP_ENDPOINT={own_console.url}")
    for address, told in (("logs", "No log lines"), ("metrics", "No metrics yet"), ("services", "No services yet")):
        page.evaluate("to => { location.hash = to }", f"#/{address}")
        expect(page.get_by_text(told)).to_be_visible()
    looker.close()
    assert looker.complaints == []


def test_an_address_of_nothing_leads_to_the_traces(look: Looker) -> None:
    page = look("#/nowhere/at/all")
    expect(page).to_have_url(re.compile("#/traces$"))
