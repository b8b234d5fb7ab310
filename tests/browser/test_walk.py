"""From a failed request to its cause, and to everything else that is known of it."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Looker
from tests.browser.console import Console
from tests.browser.reference import SERVICE, Story


def test_a_failed_request_leads_to_its_log_line_its_metric_and_back(look: Looker, story: Story) -> None:
    page = look("#/traces")
    page.get_by_label("Service", exact=True).select_option(SERVICE)
    page.get_by_label("Errors only").check()
    page.locator(f'[data-row="{story.failed}"]').click()

    expect(page.locator("h1")).to_contain_text("POST /api/transactions")
    expect(page.locator(".line.failed").first).to_be_visible()
    log = page.locator(".line.log").first
    expect(log.locator(".log-mark")).to_be_visible()
    message = log.locator(".line-message").inner_text()
    log.click()
    panel = page.get_by_role("complementary", name="Details")
    expect(panel).to_contain_text(message[:40])
    expect(panel.locator(".level").first).to_be_visible()

    page.locator(".line", has_text="POST /api/transactions").first.click()
    metric = panel.locator(".exemplar", has_text="http.server.request.duration").first
    expect(metric).to_contain_text(re.compile(r"duration [\d.]+ (µs|ms|s)"))
    metric.get_by_role("link").click()
    expect(page.get_by_role("heading", name="http.server.request.duration")).to_be_visible()
    expect(page.locator(".exemplar-mark.came")).to_be_visible()
    page.locator("tr.came").first.get_by_role("link").click()

    expect(page).to_have_url(re.compile(rf"#/traces/{story.failed}\?span="))
    expect(panel).to_contain_text("POST /api/transactions")


def test_a_dot_of_the_exemplars_opens_its_trace(look: Looker, story: Story) -> None:
    page = look(f"#/metrics/http.server.request.duration?trace={story.failed}")
    page.locator(".exemplar-mark.came").last.click()
    expect(page).to_have_url(re.compile(f"#/traces/{story.failed}"))


def test_a_mark_of_the_latencies_opens_its_trace(look: Looker, story: Story) -> None:
    page = look(f"#/traces?service={SERVICE}&errors=1")
    mark = page.locator(f'.mark.failed[data-trace="{story.failed}"]')
    expect(mark.locator(".cross")).to_have_count(1)
    mark.dispatch_event("click")
    expect(page).to_have_url(re.compile(f"#/traces/{story.failed}"))


def test_the_way_back_leads_to_the_search_as_it_was_left(look: Looker, story: Story) -> None:
    page = look(f"#/traces?service={SERVICE}&errors=1")
    page.locator(f'[data-row="{story.failed}"]').click()
    page.get_by_role("link", name="← Traces").click()
    expect(page).to_have_url(re.compile("errors=1"))
    expect(page.get_by_label("Service", exact=True)).to_have_value(SERVICE)
    expect(page.locator(f'[data-row="{story.failed}"]')).to_be_visible()
    page.go_back()
    expect(page.locator("h1")).to_contain_text("POST /api/transactions")
    page.go_back()
    expect(page.get_by_label("Errors only")).to_be_checked()


def test_an_attribute_of_a_span_leads_to_the_traces_that_have_it(look: Looker, story: Story) -> None:
    page = look(f"#/traces/{story.failed}")
    page.locator(".line", has_text="POST /api/transactions").first.click()
    page.get_by_role("link", name="traces with http.route=/api/transactions").click()
    expect(page.get_by_label("Attributes")).to_have_value("http.route=/api/transactions")
    expect(page.locator(".traces .row")).to_have_count(25)


def test_a_service_leads_to_the_failed_calls_of_a_route(look: Looker, story: Story, console: Console) -> None:
    page = look("#/services")
    page.get_by_role("link", name=SERVICE).first.click()
    route = page.get_by_role("row").filter(has_text="POST /api/transactions")
    expect(route.locator(".errors")).to_be_visible()
    route.get_by_role("link", name="failed ones").click()
    expect(page.locator(".traces .row")).to_have_count(1)
    expect(page.locator(f'[data-row="{story.failed}"]')).to_be_visible()


def test_the_map_names_who_calls_whom(look: Looker, story: Story, console: Console) -> None:
    page = look("#/services")
    expect(page.locator(".map .node", has_text=SERVICE)).to_be_visible()
    edges = console.ask("console/map")["edges"]
    assert edges
    expect(page.locator(".map .edge")).to_have_count(len(edges))
    expect(page.locator(".map-frame li").first).to_contain_text(" calls ")
