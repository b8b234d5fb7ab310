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
    "slo": ("#/slo", ".budget-bar"),
    "objective": (f"#/slo/{SERVICE}%2Fservice-availability", ".burn-line"),
}


@pytest.mark.parametrize("device", ["desk", "phone"])
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_each_page(
    look: Looker, story: Story, screenshots: Callable[[str], Path], name: str, device: str
) -> None:
    address, ready = PICTURES[name]
    page = look(address.format(failed=story.failed), PHONE if device == "phone" else DESK)
    expect(page.locator(ready).first).to_be_attached()
    if name == "trace" and device == "desk":
        page.locator(".line.failed").last.click()
        expect(page.get_by_role("complementary")).to_be_visible()
    pictures = set()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        pictures.add(page.screenshot(path=screenshots(f"{name}-{device}-{theme}")))
    assert len(pictures) == 2
