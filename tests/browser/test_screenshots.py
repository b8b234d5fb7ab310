"""Pictures of every page; `MITA_SCREENSHOTS=folder` keeps them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Looker
from tests.browser.reference import SERVICE, Story

PICTURES = {
    "traces": ("#/traces?service=" + SERVICE, ".traces .row"),
    "trace": ("#/traces/{failed}", ".line"),
    "logs": ("#/logs?service=" + SERVICE, ".logs .row"),
    "metrics": ("#/metrics/http.server.request.duration", "figure.chart"),
    "services": ("#/services", ".map .node"),
    "service": ("#/services/" + SERVICE, "figure.chart"),
}


@pytest.mark.parametrize("how", ["desk-light", "desk-dark", "phone-light", "phone-dark"])
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_each_page(
    look: Looker, story: Story, screenshots: Callable[[str], Path], name: str, how: str
) -> None:
    address, ready = PICTURES[name]
    device, _, theme = how.partition("-")
    size = PHONE if device == "phone" else DESK
    page = look(address.format(failed=story.failed), size, theme, scale=2 if size == PHONE else 1)
    expect(page.locator(ready).first).to_be_attached()
    if name == "trace" and size == DESK:
        page.locator(".line.failed").last.click()
        expect(page.get_by_role("complementary")).to_be_visible()
    path = screenshots(f"{name}-{how}")
    page.screenshot(path=path)
    assert path.stat().st_size > 10_000
