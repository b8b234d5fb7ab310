"""Receipts are told apart by content, checked to the end, and never believed."""

import contextlib
import struct
import time
import zlib
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.categories import Category
from app.domain.receipts import Draft, FileKind, UnreadableError, as_printed, draft, kind_of, recognise, text_of
from app.domain.receipts.files import LARGEST_TEXT
from tests.unit.app.receipts import TEXT, jpeg, pdf, png, png_chunk

FILES = {
    "png": (png(), FileKind.PNG),
    "jpeg": (jpeg(), FileKind.JPEG),
    "pdf": (pdf(), FileKind.PDF),
    "plain pdf": (pdf(packed=False), FileKind.PDF),
}


@pytest.mark.parametrize("name", FILES)
def test_a_receipt_of_each_kind_is_read(name: str) -> None:
    content, kind = FILES[name]
    assert kind_of(content) is kind
    assert recognise(content, kind) == Draft(Decimal("12.50"), "EUR", Category.FOOD, "CORNER BAKERY", date(2026, 5, 1))


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"<html>", b"MZ", b"PK\x03\x04", b"\x89PN", b"%PD"])
def test_other_files_are_no_receipts(content: bytes) -> None:
    assert kind_of(content) is None


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_off_anywhere_is_unreadable_and_no_fault(name: str) -> None:
    content, kind = FILES[name]
    for length in range(8, len(content) - 6):
        with pytest.raises(UnreadableError):
            text_of(content[:length], kind)


def test_a_picture_whose_checksum_is_wrong_is_unreadable() -> None:
    content = bytearray(png())
    content[60] ^= 1
    with pytest.raises(UnreadableError, match="damaged"):
        text_of(bytes(content), FileKind.PNG)


@pytest.mark.parametrize("sides", [(0, 8), (8, 0), (2**31, 8), (20_001, 1)])
def test_a_picture_of_impossible_sides_is_unreadable(sides: tuple[int, int]) -> None:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", *sides, 8, 0, 0, 0, 0))
    with pytest.raises(UnreadableError, match="sides"):
        text_of(b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IEND", b""), FileKind.PNG)


def test_a_picture_that_does_not_begin_with_its_header_is_unreadable() -> None:
    with pytest.raises(UnreadableError, match="header"):
        text_of(b"\x89PNG\r\n\x1a\n" + png_chunk(b"IEND", b""), FileKind.PNG)


def test_a_file_of_endless_parts_is_given_up() -> None:
    chunks = png_chunk(b"tEXt", b"a\x00b") * 20_000
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
    with pytest.raises(UnreadableError, match="too many"):
        text_of(b"\x89PNG\r\n\x1a\n" + header + chunks, FileKind.PNG)
    with pytest.raises(UnreadableError, match="too many"):
        text_of(b"\xff\xd8" + b"\xff\xfe\x00\x02" * 20_000, FileKind.JPEG)


BOMB = zlib.compress(b"(x) Tj\n" * 1_000_000, 9)
HOSTILE = {
    "a stream that unpacks to megabytes": b"stream\n" + BOMB + b"endstream\n",
    "many such streams": (b"stream\n" + BOMB + b"endstream\n") * 300,
    "streams in streams": b"stream\n((((((((" * 100_000 + b"endstream ",
    "strings that never end": b"stream\n" + b"(\\(" * 1_000_000 + b"endstream ",
    "a million streams": b"stream\nendstream\n" * 250_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_read_as_far_as_a_receipt_goes_and_in_no_long_time(name: str) -> None:
    content = b"%PDF-1.4\n" + HOSTILE[name] + b"%%EOF"
    assert len(content) < 5 * 1024 * 1024
    began = time.thread_time()
    assert len(text_of(content, FileKind.PDF)) <= LARGEST_TEXT
    assert time.thread_time() - began < 3


@given(st.binary(max_size=500), st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"%PDF-1.4\nstream\n"]))
def test_no_content_is_a_fault(rest: bytes, beginning: bytes) -> None:
    content = beginning + rest
    kind = kind_of(content)
    assert kind is not None
    with contextlib.suppress(UnreadableError):
        text_of(content, kind)


@pytest.mark.parametrize(
    ("line", "amount", "currency"),
    [
        ("TOTAL 12.50", "12.50", None),
        ("Total: 12,50 EUR", "12.50", "EUR"),
        ("  GRAND TOTAL USD 1000", "1000", "USD"),
        ("total jpy 500", "500", "JPY"),
        ("TOTAL XXX 3.00", "3.00", None),
        ("TOTAL 5\nTOTAL 7", "7", None),
    ],
)
def test_the_last_total_counts(line: str, amount: str, currency: str | None) -> None:
    found = draft(f"SHOP\n{line}")
    assert found is not None
    assert (found.amount, found.currency) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "text",
    ["", "SHOP", "TOTAL", "TOTAL -5", "TOTAL 0", "TOTAL 1e9", "SUBTOTAL 5", "TOTAL JPY 1.5", "TOTAL 9999999999999"],
)
def test_without_a_total_that_can_be_paid_there_is_no_draft(text: str) -> None:
    assert draft(text) is None


@given(st.text(max_size=300))
def test_any_text_gives_a_draft_that_can_be_stored_or_none(text: str) -> None:
    found = draft(f"{text}\nTOTAL 5.00")
    assert found is not None
    assert len(found.description) <= 100
    assert not any(ord(character) < 32 for character in found.description)


@pytest.mark.parametrize(
    ("text", "day"),
    [("2026-05-01", date(2026, 5, 1)), ("01.05.2026", date(2026, 5, 1)), ("2026-02-30", None), ("32.13.2026", None)],
)
def test_a_day_is_read_in_two_forms(text: str, day: date | None) -> None:
    found = draft(f"SHOP\n{text}\nTOTAL 5")
    assert found is not None
    assert found.occurred_on == day


def test_recognition_costs_a_processor_for_a_moment_whatever_the_size() -> None:
    for content in (png(), png(TEXT + "x" * 60_000)):
        began = time.thread_time()
        recognise(content, FileKind.PNG)
        assert 0.02 < time.thread_time() - began < 5


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [("12.5", "EUR", "12.50"), ("500", "JPY", "500"), ("12.5", None, "12.50"), ("12.345", None, "12.345")],
)
def test_an_amount_is_printed_with_its_coins(amount: str, currency: str | None, expected: str) -> None:
    assert str(as_printed(Decimal(amount), currency)) == expected
