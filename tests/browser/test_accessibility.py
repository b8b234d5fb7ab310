"""axe finds nothing serious on any page, in either theme and at either size."""

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Looker
from tests.browser.reference import SERVICE, Story

READY = {
    "#/traces": ".traces .row",
    "#/traces/{failed}": ".line",
    "#/logs": ".logs .row",
    "#/metrics": ".instrument",
    "#/metrics/http.server.request.duration": "figure.chart",
    f"#/services/{SERVICE}": "figure.chart",
    "#/services": ".map .node",
    "#/resilience": ".watched table",
    "#/health": ".watched table",
    "#/slo": ".budget-bar",
    f"#/slo/{SERVICE}%2Fservice-availability": ".burn-line",
}


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html']} {node['failureSummary']}"
        for one in found
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("address", READY)
def test_axe_finds_nothing_serious(look: Looker, story: Story, address: str, size: tuple[int, int]) -> None:
    page = look(address.format(failed=story.failed), size)
    expect(page.locator(READY[address]).first).to_be_attached()
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_what_opens(look: Looker, story: Story, theme: str) -> None:
    page = look(f"#/traces/{story.failed}", theme=theme)
    page.locator(".line.log").first.click()
    assert violations(page) == []
    page.locator(".line").first.click()
    assert violations(page) == []
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


def test_the_theme_follows_the_system_until_somebody_chooses(look: Looker) -> None:
    page = look(theme="dark")

    def ground() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    dark = ground()
    page.get_by_role("button", name="light theme").click()
    light = ground()
    assert light != dark
    page.reload()
    assert ground() == light
    page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="dark theme").click()
    assert ground() == dark
    page.keyboard.press("t")
    page.emulate_media(color_scheme="dark")
    assert ground() == dark


def test_the_page_says_what_it_is_for(look: Looker) -> None:
    page = look()
    expect(page.get_by_role("contentinfo")).to_contain_text("Development console")
    expect(page.get_by_role("contentinfo")).to_contain_text("spans")
