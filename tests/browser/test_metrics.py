"""Metrics."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Looker
from tests.browser.console import Console
from tests.browser.reference import SERVICE, Story

DURATION = "http.server.request.duration"


def test_every_instrument_is_listed_with_unit_and_description(look: Looker, story: Story, console: Console) -> None:
    page = look("#/metrics")
    instruments = console.ask("console/metrics")["instruments"]
    assert len(instruments) > 10
    expect(page.locator(".instrument")).to_have_count(len(instruments))
    row = page.locator(f'[data-row="{DURATION}"]')
    expect(row.locator(".unit")).to_have_text("s")
    expect(row.locator(".description")).to_contain_text("Duration of HTTP server requests")


def test_the_list_can_be_searched(look: Looker, story: Story) -> None:
    page = look("#/metrics")
    expect(page.locator(".instrument").first).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("http server duration")
    expect(page.locator(".instrument-name")).to_have_text([DURATION])
    expect(page).to_have_url(re.compile("q=http"))
    page.get_by_label("Find an instrument").fill("nothing of the kind")
    expect(page.get_by_text("No instrument matches")).to_be_visible()


def test_a_histogram_shows_quantiles_and_the_rate_of_recording(look: Looker, story: Story) -> None:
    page = look(f"#/metrics/{DURATION}")
    quantiles = page.locator("figure.chart", has_text="Quantiles")
    expect(quantiles.locator("tbody th")).to_have_text(["p99", "p95", "p50"])
    expect(quantiles.locator("tbody .number").first).to_have_text(re.compile(r"^[\d.,]+ (µs|ms|s)$"))
    expect(quantiles.locator(".curve")).to_have_count(3)
    expect(page.locator("figure.chart", has_text="Recordings a second").locator(".tick").first).to_contain_text("/s")


def test_grouping_gives_each_value_of_an_attribute_a_line(look: Looker, story: Story) -> None:
    page = look(f"#/metrics/{DURATION}")
    expect(page.locator("figure.chart").first).to_be_visible()
    page.get_by_label("Group by").select_option("http.route")
    names = page.locator("figure.chart", has_text="Quantiles").locator("tbody th")
    expect(names.filter(has_text="p95 /api/insights")).to_have_count(1)
    page.get_by_label("Quantile", exact=True).select_option("0.99")
    expect(names.filter(has_text="p99 /api/insights")).to_have_count(1)
    page.get_by_label("Only").fill("http.route=/api/insights")
    page.keyboard.press("Enter")
    expect(names).to_have_count(1)
    expect(page).to_have_url(re.compile("group_by=http.route&quantile=0.99&filter=http.route"))


def test_units_are_those_of_people(look: Looker, story: Story, console: Console) -> None:
    of_bytes = next(one["name"] for one in console.ask("console/metrics")["instruments"] if one["unit"] == "By")
    page = look(f"#/metrics/{of_bytes}")
    expect(page.locator("figure.chart .tick").filter(has_text=re.compile(r"^[\d.,]+ ([KMG]i)?B"))).not_to_have_count(0)


def test_exemplars_are_listed_with_their_traces(look: Looker, story: Story) -> None:
    page = look(f"#/metrics/{DURATION}?service={SERVICE}&trace={story.failed}")
    expect(page.locator(".exemplar-mark").first).to_be_visible()
    first = page.get_by_role("group", name="Exemplars").locator("tbody tr").first
    expect(first.get_by_role("link")).to_have_text(re.compile(story.failed[:16]))
    expect(first.locator(".number")).to_have_text(re.compile("(µs|ms|s)$"))
