"""Objectives, their budgets and what spent them, as they are seen."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Looker
from tests.browser.telemetry import Sender, Trace
from tests.browser.test_accessibility import violations
from tests.fixtures.console_objectives import happened, promised, spent

SERVICE = "promising"


@pytest.fixture(scope="module")
def failed(sender: Sender) -> str:
    """The trace of what spent a budget: of a service whose objectives stand in every way that there is."""
    made = Trace(seconds_ago=30)
    made.span(SERVICE, "GET /checkout", 0, 20, error="broken", attributes={"http.route": "/checkout"})
    sender.send(made.spans)
    hour = [(-3600 + 60 * minute, 40.0 * minute, 0.0) for minute in range(61)]
    outage = [(time, good, 40.0 if time > -1200 else 0.0) for time, good, _ in hour]
    for slo, points, objective, about in (
        ("checkout", outage, 0.99, {"tier": "1", "owner": "payments"}),
        ("search", [(time, good, good / 200) for time, good, _ in hour], 0.99, {"tier": "2", "owner": "search"}),
        ("quiet", [(time, 0.0, 0.0) for time, _, _ in hour], 0.99, {"tier": "3", "owner": "search"}),
    ):
        sender.measure(SERVICE, happened(*points, slo=slo, start=-3660), *promised(slo, objective, **about))
    ledger = {"route": {"/checkout": 30.0, "/carts/{id}": 10.0}, "error_type": {"ConnectionResetError": 40.0}}
    sender.measure(SERVICE, spent(ledger, slo="checkout", trace=int(made.id, 16)))
    return made.id


def rows(page: Page) -> Any:
    return page.get_by_role("table", name="Objectives").locator("tbody tr")


def test_objectives_stand_the_worst_first(look: Looker, failed: str) -> None:
    page = look(f"#/slo?service={SERVICE}")
    expect(rows(page)).to_have_count(3)
    checkout, search, quiet = (rows(page).nth(number) for number in range(3))
    expect(checkout).to_contain_text(
        re.compile(r"Checkout: availability.*tier 1 · payments · 30d.*[^ ]63\.\d %.*exhausted")
    )
    expect(checkout).to_contain_text(re.compile(r"98\.36 %of 99 %.*spent"))
    expect(page.get_by_role("img", name=re.compile("Budget of Checkout: availability: overspent, .63"))).to_be_visible()
    expect(search).to_contain_text(re.compile(r"50\.\d %ok.*99\.502 %of 99 %0\.498."))
    expect(quiet).to_contain_text(re.compile(r"Quiet: availability.*no data.*no data"))
    expect(quiet.locator(".budget-unknown")).to_be_visible()
    expect(quiet).not_to_contain_text("100 %")
    expect(page.locator(".slo-sum")).to_contain_text(re.compile(r"3 objectives\s*exhausted\s*1 of 3"))


def test_objectives_are_chosen_and_read_by_keyboard(look: Looker, failed: str) -> None:
    page = look(f"#/slo?service={SERVICE}")
    page.get_by_label("Tier").select_option("1")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("heading", name="Objectives").focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Checkout: availability")).to_be_visible()
    expect(page.locator(".tile", has_text="Error budget left")).to_contain_text("40 of 24.4 that may be")
    expect(page.locator(".tile", has_text="What to do")).to_contain_text("Complete deployment freeze")
    expect(page.locator(".burn-chart .tick", has_text="exhausted")).to_be_visible()

    page.get_by_role("group", name="Burn-down").focus()
    page.keyboard.press("End")
    expect(page.locator(".reading")).to_contain_text(
        re.compile(r"[^ ]63\.\d % left, 0 bad of \d+ events|nobody counted")
    )
    page.keyboard.press("Home")
    expect(page.locator(".reading")).to_contain_text(re.compile(r"100 % left, 0 bad of \d+ event"))
    page.keyboard.press("Escape")
    expect(rows(page)).to_have_count(1)


def test_what_spent_a_budget_leads_to_its_traces(look: Looker, failed: str) -> None:
    page = look(f"#/slo/{SERVICE}%2Fcheckout")
    routes = page.get_by_role("table", name="Routes")
    expect(routes.locator("tbody tr").first).to_contain_text(re.compile(r"/checkout75 %30123 %"))
    expect(page.get_by_role("table", name="Types of errors")).to_contain_text("ConnectionResetError100 %40")
    routes.get_by_role("link", name="/checkout").click()
    expect(page.locator(f'[data-row="{failed}"]')).to_be_visible()
    page.go_back()
    routes.get_by_role("link", name=failed[:8]).first.click()
    expect(page.locator(".line").first).to_contain_text("/checkout")


def test_axe_finds_nothing_serious_in_an_objective_without_data(look: Looker, failed: str) -> None:
    page = look(f"#/slo/{SERVICE}%2Fquiet", PHONE)
    expect(page.locator(".unknown-all")).to_be_visible()
    widths = page.evaluate("[document.documentElement.scrollWidth, document.getElementById('main').scrollWidth]")
    assert widths == [PHONE[0]] * 2
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


def test_filters_that_nothing_meets_say_so(look: Looker, failed: str) -> None:
    page = look(f"#/slo?service={SERVICE}&tier=1&state=ok")
    expect(page.locator(".nothing")).to_contain_text("No such objectives")


def test_no_share_is_said_to_be_all_unless_it_is(look: Looker) -> None:
    page = look("#/slo")
    said = page.evaluate(
        "async ([shares, budgets]) => { const words = await import('/assets/slo/words.js');"
        " return [shares.map(words.share), budgets.map(words.left)]; }",
        [[1, 0, 0.9, 0.9995, 0.999999, 0.999999999, None], [1, 0, -1.5, -2499, None]],
    )
    minus = "\N{MINUS SIGN}"
    assert said == [
        ["100 %", "0 %", "90 %", "99.95 %", "99.9999 %", "99.999999 %", "\N{EN DASH}"],
        ["100 %", "0 %", f"{minus}150 %", f"{minus}249,900 %", "no data"],
    ]
