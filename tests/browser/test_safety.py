"""What comes by OTLP is text: it runs nothing, loads nothing, and breaks nothing."""

from urllib.parse import quote

from opentelemetry._logs import SeverityNumber
from playwright.sync_api import Page, expect

from tests.browser.conftest import Looker
from tests.browser.console import Console
from tests.browser.telemetry import Sender, Trace

EVIL = '<img src=x onerror="window.owned = true"><script>window.owned = true</script>'
SERVICE = f"evil {EVIL}"


def assert_harmless(page: Page) -> None:
    assert page.evaluate("window.owned") is None
    assert page.locator("img, #main script, iframe, object, embed").count() == 0


def test_markup_in_telemetry_is_shown_as_text(look: Looker, sender: Sender, console: Console) -> None:
    made = Trace()
    root = made.span(
        SERVICE, EVIL, 0, 50, attributes={EVIL: EVIL, "url": "javascript:alert(1)"}, event=EVIL, error=EVIL
    )
    made.span(f"other {EVIL}", EVIL, 5, 20, root)
    sender.send(made.spans)
    sender.log(SERVICE, EVIL, SeverityNumber.ERROR, root)
    console.await_spans(made.id, 2)

    page = look("#/traces")
    row = page.locator(f'[data-row="{made.id}"]')
    expect(row.locator(".operation")).to_have_text(EVIL)
    page.locator(f'.mark[data-trace="{made.id}"]').dispatch_event("pointermove", {"clientX": 300, "clientY": 200})
    expect(page.locator(".tip")).to_contain_text(EVIL)
    assert_harmless(page)
    row.click()
    page.locator(".line", has_text=EVIL).first.click()
    expect(page.get_by_role("table", name="Attributes of the span")).to_contain_text(EVIL)
    expect(page.get_by_role("complementary")).to_contain_text("javascript:alert(1)")
    assert_harmless(page)
    for address in ("#/logs", "#/services", "#/metrics"):
        page.evaluate("to => { location.hash = to }", address)
        expect(page.locator("h1")).to_have_count(1)
        page.wait_for_load_state("networkidle")
        assert_harmless(page)
    page.evaluate("to => { location.hash = to }", f"#/services/{quote(SERVICE, safe='')}")
    expect(page.locator("h1")).to_contain_text(EVIL)
    expect(page.get_by_role("table", name="Calls and inner operations")).to_contain_text(EVIL)
    assert_harmless(page)


def test_the_address_is_no_way_in_either(look: Looker) -> None:
    page = look(f"#/metrics/{quote(EVIL, safe='')}?q={quote(EVIL)}")
    expect(page.get_by_role("heading", name=EVIL)).to_be_visible()
    assert_harmless(page)
    look.complaints.clear()  # a browser notes every answer that is no success


def test_links_lead_to_views_of_the_page_only(look: Looker) -> None:
    page = look()
    told = page.evaluate(
        """async () => {
          const { h } = await import("/assets/dom.js");
          try { h("a", { href: "javascript:alert(1)" }); } catch (error) { return error.message; }
        }"""
    )
    assert "views of this page" in told


def test_long_values_are_cut_until_somebody_wants_all(look: Looker, sender: Sender, console: Console) -> None:
    made = Trace()
    made.span("long", "statement", 0, 5, attributes={"db.query.text": "x" * 5000})
    sender.send(made.spans)
    console.await_spans(made.id, 1)
    page = look(f"#/traces/{made.id}")
    page.locator(".line").click()
    cell = page.get_by_role("row", name="db.query.text").locator("td")
    assert len(cell.inner_text()) < 400
    cell.get_by_role("button", name="show all 5,000 characters").click()
    assert "x" * 5000 in cell.inner_text()
    cell.get_by_role("button", name="show less").click()
    assert len(cell.inner_text()) < 400


def test_whole_numbers_are_shown_to_the_last_digit(look: Looker, sender: Sender, console: Console) -> None:
    made = Trace()
    made.span("exact", "numbered", 0, 5, attributes={"account": 9_007_199_254_740_993})
    sender.send(made.spans)
    console.await_spans(made.id, 1)
    page = look(f"#/traces/{made.id}")
    page.locator(".line").click()
    expect(page.get_by_role("row", name="account")).to_contain_text("9007199254740993")


def test_the_policy_forbids_what_the_page_does_not_need(look: Looker) -> None:
    page = look()
    with page.expect_response(lambda response: response.url.endswith("/")) as answer:
        page.reload()
    policy = answer.value.header_value("content-security-policy") or ""
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'"} <= set(policy.split("; "))
