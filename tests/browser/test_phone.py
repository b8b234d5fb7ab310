"""The page on a phone."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Looker
from tests.browser.reference import SERVICE, Story
from tests.browser.test_accessibility import READY


@pytest.mark.parametrize("address", READY)
def test_nothing_stands_out_of_a_phone(look: Looker, story: Story, address: str) -> None:
    page = look(address.format(failed=story.failed), PHONE)
    expect(page.locator(READY[address]).first).to_be_attached()
    sizes = page.evaluate(
        "() => [document.documentElement, document.getElementById('main')].map(it => [it.scrollWidth, it.clientWidth])"
    )
    assert all(scroll == client for scroll, client in sizes)


def test_filters_unfold(look: Looker, story: Story) -> None:
    page = look("#/traces", PHONE)
    expect(page.get_by_label("Service", exact=True)).to_be_hidden()
    page.get_by_role("button", name="All filters").click()
    page.get_by_label("Service", exact=True).select_option(SERVICE)
    page.get_by_label("Errors only").check()
    expect(page.locator(f'[data-row="{story.failed}"]')).to_be_visible()


def test_details_come_as_a_sheet_that_can_be_closed(look: Looker, story: Story) -> None:
    page = look(f"#/traces/{story.failed}", PHONE)
    page.locator(".line").first.click()
    panel = page.get_by_role("complementary")
    box = panel.bounding_box()
    assert box
    assert (box["x"], box["width"]) == (0, PHONE[0])
    assert box["y"] + box["height"] == PHONE[1]
    panel.get_by_role("button", name="close").click()
    expect(panel).to_be_hidden()


def test_the_tabs_are_within_reach_of_a_thumb(look: Looker) -> None:
    page = look("", PHONE)
    tabs = page.get_by_role("navigation", name="Views")
    box = tabs.bounding_box()
    assert box
    assert box["y"] + box["height"] == PHONE[1]
    tabs.get_by_role("link", name="Logs").click()
    expect(page.locator("h1")).to_have_text("Logs")
