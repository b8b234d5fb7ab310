"""A picture goes in, a draft comes out, and the event loop has time for others meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from anyio import CapacityLimiter

from app.api import receipts
from app.limits import LARGEST_FILE, LARGEST_UPLOAD
from tests.integration.app.conftest import sign_up
from tests.unit.app.receipts import TEXT, jpeg, pdf, png

PATH = "/api/receipts"
UNKNOWN = "00000000-0000-0000-0000-000000000000"


def form(content: bytes, name: str = "receipt.png", kind: str = "image/png") -> dict[str, Any]:
    return {"files": {"file": (name, content, kind)}}


@pytest.mark.parametrize(("content", "kind"), [(png(), "png"), (jpeg(), "jpeg"), (pdf(), "pdf")])
async def test_a_receipt_becomes_a_draft_and_the_draft_a_transaction(
    client: httpx.AsyncClient, content: bytes, kind: str
) -> None:
    headers = await sign_up(client)
    answer = await client.post(PATH, **form(content), headers=headers)
    assert answer.status_code == 201, answer.text
    receipt = answer.json()
    assert (receipt["kind"], receipt["size"], receipt["confirmed"]) == (kind, len(content), False)
    assert receipt["draft"] == {
        "amount": "12.50",
        "currency": "EUR",
        "category": "food",
        "description": "CORNER BAKERY",
        "occurred_on": "2026-05-01",
    }
    assert (await client.get("/api/transactions", headers=headers)).json()["items"] == []
    made = await client.post(f"{PATH}/{receipt['id']}/confirm", json={}, headers=headers)
    assert made.status_code == 201, made.text
    assert (made.json()["amount"], made.json()["home_amount"], made.json()["occurred_on"]) == (
        "12.50",
        "13.50",
        "2026-05-01",
    )
    shown = (await client.get(f"{PATH}/{receipt['id']}", headers=headers)).json()
    assert (shown["confirmed"], shown["transaction_id"]) == (True, made.json()["id"])


async def test_what_was_read_wrongly_is_corrected(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    receipt = (await client.post(PATH, **form(png()), headers=headers)).json()
    correction = {"amount": "99.00", "currency": "USD", "category": "shopping"}
    made = await client.post(f"{PATH}/{receipt['id']}/confirm", json=correction, headers=headers)
    assert (made.json()["home_amount"], made.json()["category"]) == ("99.00", "shopping")


async def test_a_receipt_is_confirmed_once_however_often_at_once(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    receipt = (await client.post(PATH, **form(png()), headers=headers)).json()
    path = f"{PATH}/{receipt['id']}/confirm"
    answers = await asyncio.gather(*(client.post(path, json={}, headers=headers) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert len((await client.get("/api/transactions", headers=headers)).json()["items"]) == 1


async def test_a_currency_that_the_receipt_does_not_name_is_the_users_own(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client, currency="JPY")
    receipt = (await client.post(PATH, **form(png("SHOP\nTOTAL 500")), headers=headers)).json()
    assert (receipt["draft"]["currency"], receipt["draft"]["occurred_on"]) == (None, None)
    made = await client.post(f"{PATH}/{receipt['id']}/confirm", json={}, headers=headers)
    assert (made.json()["amount"], made.json()["currency"]) == ("500", "JPY")


async def test_an_amount_that_the_users_currency_cannot_have_is_left_to_them(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client, currency="JPY")
    receipt = (await client.post(PATH, **form(png("SHOP\nTOTAL 5.50")), headers=headers)).json()
    path = f"{PATH}/{receipt['id']}/confirm"
    assert (await client.post(path, json={}, headers=headers)).status_code == 422
    assert (await client.post(path, json={"amount": "550"}, headers=headers)).status_code == 201


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        pytest.param(b"GIF89a" + b"x" * 50, 415, "FILE_TYPE_UNKNOWN", id="another type with a name that lies"),
        pytest.param(b"<html></html>", 415, "FILE_TYPE_UNKNOWN", id="a page"),
        pytest.param(b"", 415, "FILE_TYPE_UNKNOWN", id="nothing"),
        pytest.param(png()[:-20], 422, "RECEIPT_UNREADABLE", id="cut off"),
        pytest.param(png("no money here"), 422, "RECEIPT_UNREADABLE", id="no total"),
        pytest.param(b"\xff\xd8\xff" + b"x" * 100, 422, "RECEIPT_UNREADABLE", id="damaged"),
        pytest.param(png() + b"\x00" * LARGEST_FILE, 413, "FILE_TOO_LARGE", id="a byte too many"),
    ],
)
async def test_a_file_that_is_no_receipt_is_told_apart_by_its_content(
    client: httpx.AsyncClient, content: bytes, status: int, code: str
) -> None:
    headers = await sign_up(client)
    answer = await client.post(PATH, **form(content), headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert (await client.get(PATH, headers=headers)).json()["items"] == []


async def test_a_name_and_a_type_that_lie_do_not_matter(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    answer = await client.post(PATH, **form(jpeg(), "../../etc/passwd", "text/html"), headers=headers)
    assert answer.json()["kind"] == "jpeg"


async def test_a_file_of_exactly_the_largest_size_is_read(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    content = pdf().replace(b"%%EOF", b" " * (LARGEST_FILE - len(pdf())) + b"%%EOF")
    assert len(content) == LARGEST_FILE
    assert (await client.post(PATH, **form(content), headers=headers)).status_code == 201


async def test_a_request_that_never_ends_is_cut_off_at_the_limit(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    sent = 0

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            nonlocal sent
            yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
            while True:
                sent += 65536
                yield b"x" * 65536

    headers |= {"content-type": "multipart/form-data; boundary=x"}
    answer = await client.post(PATH, content=Endless(), headers=headers)
    assert answer.status_code == 413
    assert sent <= LARGEST_UPLOAD + 2 * 65536


@pytest.mark.parametrize(
    ("headers", "content", "statuses"),
    [
        ({"content-type": "application/json"}, b"{}", {415}),
        ({}, b"", {415}),
        ({"content-type": "multipart/form-data"}, b"", {400}),
        ({"content-type": "multipart/form-data; boundary=x"}, b"", {400, 422}),
        ({"content-type": "multipart/form-data; boundary=x"}, b"nonsense", {400}),
        ({"content-type": "multipart/form-data; boundary=" + "x" * 300}, b"--x", {400}),
        ({"content-type": "multipart/form-data; boundary=x; charset=\xff"}, b"--x--\r\n", {400, 422}),
        (
            {"content-type": "multipart/form-data; boundary=x"},
            b'--x\r\ncontent-disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n',
            {422},
        ),
        (
            {"content-type": "multipart/form-data; boundary=x"},
            b'--x\r\ncontent-disposition: form-data; name="other"; filename="a"\r\n\r\nGIF\r\n--x--\r\n',
            {422},
        ),
        (
            {"content-type": "multipart/form-data; boundary=x"},
            b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n' * 2 + b"--x--\r\n",
            {400},
        ),
    ],
)
async def test_what_is_no_form_with_a_file_is_refused(
    client: httpx.AsyncClient, headers: dict[str, str], content: bytes, statuses: set[int]
) -> None:
    token = await sign_up(client)
    raw = [(name.encode(), value.encode("latin-1")) for name, value in (token | headers).items()]
    answer = await client.post(PATH, content=content, headers=raw)
    assert answer.status_code in statuses, answer.text
    assert answer.json()["success"] is False


async def test_without_a_token_no_byte_of_a_file_is_read(client: httpx.AsyncClient) -> None:
    read = False

    class Watched(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            nonlocal read
            read = True
            yield b"x"

    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert (await client.post(PATH, content=Watched(), headers=headers)).status_code == 401
    assert not read


async def test_others_are_answered_while_receipts_are_read(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    uploads = [asyncio.create_task(client.post(PATH, **form(png()), headers=headers)) for _ in range(4)]
    answered, busiest = 0, 0.0
    while not all(upload.done() for upload in uploads):
        began = time.perf_counter()
        await client.get("/health")
        await asyncio.sleep(0.001)  # in this process a request without I/O leaves the loop to nobody
        busiest = max(busiest, time.perf_counter() - began)
        answered += 1
    assert {(await upload).status_code for upload in uploads} == {201}
    assert answered > 5
    assert busiest < 2


async def test_more_uploads_than_there_are_places_for_are_told_to_come_back(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "_uploads", CapacityLimiter(1))
    headers = await sign_up(client)
    answers = await asyncio.gather(*(client.post(PATH, **form(png()), headers=headers) for _ in range(4)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 201
    assert set(statuses[1:]) <= {201, 503}
    busy = next(answer for answer in answers if answer.status_code == 503)
    assert (busy.json()["error"]["code"], busy.headers["retry-after"]) == ("RECEIPTS_BUSY", "1")
    assert (await client.post(PATH, **form(png()), headers=headers)).status_code == 201


async def test_a_file_that_does_not_arrive_gives_its_place_back(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "_uploads", CapacityLimiter(1))
    monkeypatch.setattr(receipts, "UPLOAD_SECONDS", 0.2)
    headers = await sign_up(client)

    class Stuck(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"--x\r\n"
            await asyncio.Event().wait()

    slow = await client.post(
        PATH, content=Stuck(), headers=headers | {"content-type": "multipart/form-data; boundary=x"}
    )
    assert (slow.status_code, slow.json()["error"]["code"]) == (408, "UPLOAD_TOO_SLOW")
    monkeypatch.setattr(receipts, "UPLOAD_SECONDS", 30)
    assert (await client.post(PATH, **form(png()), headers=headers)).status_code == 201


async def test_users_do_not_see_one_anothers_receipts(client: httpx.AsyncClient) -> None:
    jane, joe = await sign_up(client), await sign_up(client, "joe@example.com")
    receipt = (await client.post(PATH, **form(png()), headers=jane)).json()
    assert (await client.get(f"{PATH}/{receipt['id']}", headers=joe)).status_code == 404
    assert (await client.post(f"{PATH}/{receipt['id']}/confirm", json={}, headers=joe)).status_code == 404
    assert (await client.get(f"{PATH}/{UNKNOWN}", headers=jane)).status_code == 404
    assert (await client.get(PATH, headers=joe)).json()["items"] == []


async def test_a_receipt_outlives_its_transaction(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    receipt = (await client.post(PATH, **form(png()), headers=headers)).json()
    made = (await client.post(f"{PATH}/{receipt['id']}/confirm", json={}, headers=headers)).json()
    assert (await client.delete(f"/api/transactions/{made['id']}", headers=headers)).status_code == 204
    shown = (await client.get(f"{PATH}/{receipt['id']}", headers=headers)).json()
    assert (shown["confirmed"], shown["transaction_id"]) == (True, None)


async def test_pages_of_receipts_hold_each_once(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    made = [(await client.post(PATH, **form(png(f"{TEXT}{n}")), headers=headers)).json()["id"] for n in range(3)]
    first = (await client.get(PATH, params={"limit": 2}, headers=headers)).json()
    second = (await client.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]}, headers=headers)).json()
    assert [item["id"] for item in first["items"] + second["items"]] == made[::-1]
    assert second["next_cursor"] is None
