"""Values that are sensitive by their form never survive, wherever they stand; values that only look so always do."""

import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mita_otel.redaction import REDACTED, redact_path, redact_query, redact_text, redact_url, redact_value
from tests.unit.redaction.forms import card_digits, cards, harmless, ibans, jwts, mails, plain_words, secrets, ssns


@pytest.mark.parametrize(
    "form", [cards(), ibans(), ssns(), jwts(), mails()], ids=["card", "iban", "ssn", "jwt", "mail"]
)
def test_a_value_in_a_sentence_is_masked_and_the_sentence_stays(form: st.SearchStrategy[str]) -> None:
    @given(secret=form, before=plain_words, after=st.sampled_from(["", ".", ", then", " (again)", "\n"]))
    def check(secret: str, before: str, after: str) -> None:
        masked = redact_text(f"{before}{secret}{after}")
        assert secret not in masked
        assert REDACTED in masked
        assert masked.startswith(before[:1].strip("é"))

    check()


@given(secrets, secrets)
def test_two_values_beside_one_another_are_both_masked(first: str, second: str) -> None:
    masked = redact_text(f"{first}, {second}")
    assert first not in masked
    assert second not in masked


@given(secrets)
def test_a_value_is_found_at_any_depth_and_as_a_key(secret: str) -> None:
    masked = redact_value(
        None, {"a": [{"b": (secret, [f"see {secret}"])}], "c": {secret}, secret: 1, "d": secret.encode()}
    )
    assert secret not in str(masked)


@given(secrets)
def test_a_value_is_found_in_a_query_a_path_and_a_url(secret: str) -> None:
    encoded = quote_plus(secret)
    assert redact_query(f"page=2&q={encoded}&x=1") == f"page=2&q={REDACTED}&x=1"
    assert encoded not in redact_path(f"/search/{encoded}/more")
    assert redact_url(f"https://api.example/s?q={encoded}#top") == f"https://api.example/s?q={REDACTED}#top"


@given(secrets, st.integers(1, 3), st.sampled_from([quote_plus, quote]))
def test_an_encoded_value_is_found_in_free_text(secret: str, times: int, encode: Callable[[str], str]) -> None:
    encoded = secret
    for _ in range(times):
        encoded = encode(encoded)
    masked = redact_text(f"asked for http://h/s?page=2&q={encoded}&x=1 and failed")
    assert encoded not in masked
    assert masked.startswith("asked for http://h/s?page=2&q=")
    assert masked.endswith("&x=1 and failed")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("q=%2B44+20+7002+9093&x=1", "q=[REDACTED]&x=1"),
        ("q=6011+9308+0592+0420&x=1", "q=[REDACTED]&x=1"),
        ("/a/%7B%22password%22%3A%22x%22%7D/b", "/a/[REDACTED]/b"),
        ("password%3Dhunter2", "[REDACTED]"),
        ("password%253Dhunter2", "[REDACTED]"),
        ("%28589%29%20529-1761", "[REDACTED]"),
    ],
)
def test_encoded_text_is_judged_as_it_reads(text: str, masked: str) -> None:
    assert redact_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "C++ and 1+1, a+b=c, 100%25 of 50% off",
        "2026-11-24T06:28:59+00:00",
        "1.2.3+build.5",
        "https://h/a%20b?q=two+words&lang=en%2Cde",
        "aGVsbG8gd29ybGQ+aGVsbG8/d29ybGQ+",
    ],
)
def test_encoded_text_without_anything_sensitive_stays(text: str) -> None:
    assert redact_text(text) == text


@given(secrets)
def test_a_value_is_found_in_json_inside_json(secret: str) -> None:
    assert secret not in redact_text(json.dumps({"body": json.dumps({"note": f"line\n{secret}\nline"})}))


@given(secrets)
def test_a_value_is_found_in_an_exception(secret: str) -> None:
    assert secret not in str(redact_value("error", ValueError(f"refused {secret}")))


@given(card_digits())
def test_a_card_number_is_found_as_a_number(digits: str) -> None:
    assert redact_value("amount", int(digits)) == REDACTED


@given(card_digits(), st.lists(st.sampled_from(["", " ", "-"]), min_size=19, max_size=19))
def test_a_card_number_is_found_with_separators_anywhere(digits: str, separators: list[str]) -> None:
    # With groups of one and two digits a Diners Club number of 14 digits cannot be told from a time.
    assume(not digits.startswith(("30", "36", "38", "39")))
    written = "".join(digit + separator for digit, separator in zip(digits, separators, strict=False)).strip(" -")
    assert redact_text(f"card {written}.") == f"card {REDACTED}."


@given(card_digits(), st.integers(1, 9))
def test_a_number_with_a_wrong_check_digit_is_no_card(digits: str, error: int) -> None:
    wrong = f"{digits[:-1]}{(int(digits[-1]) + error) % 10}"
    assert redact_text(f"order {wrong}") == f"order {wrong}"


@given(harmless, plain_words)
@example("00-4bf92f3577b34da6a3ce929d0e0e4736-4111111111111111-01", "")
@example("55512345-1234-4123-8123-123456789012", "")
@example("0.4111111111111111", "(")
@example("4111111111111111.50", "")
@example("30-12-2026 12-30-45", "")
def test_identifiers_numbers_and_times_survive(value: str, before: str) -> None:
    text = f"{before}{value} ok"
    assert redact_text(text) == text
    assert redact_value("value", value) == value


@pytest.mark.parametrize(
    "text",
    [
        "react@18.2.0 and user@localhost",
        "2026-11-24T06:28:59.123456+00:00",
        "127.0.0.1:5432, 10.0.0.255, ::1",
        "basic training, bearer authentication",
        "cache miss key=user:17",
        "if token == other",
        "author: Ann, monkey=1, tokens_used=17",
        "GET /api/users HTTP/1.1 200",
        "std::vector, password::Policy",
        "trees 1 2 3 4 5 6 7 8 9 10 11 12",
        "https://example.org/@ann/post?page=2",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("call +44 20 7946 0958 now", "call [REDACTED] now"),
        ("call (555) 123-4567 now", "call [REDACTED] now"),
        ("call 1-800-555-1234 now", "call [REDACTED] now"),
        ("call +1 (555) 123-4567 now", "call [REDACTED] now"),
        ("postgresql://app:p@ss:w@db:5432/x", "postgresql://[REDACTED]@db:5432/x"),
        ("Proxy said: Bearer abc.def-1234", "Proxy said: Bearer [REDACTED]"),
        ("sent Basic dTpw", "sent Basic [REDACTED]"),
        ("used sk-proj-abcdefghij0123456789 here", "used [REDACTED] here"),
        ("used AKIAIOSFODNN7EXAMPLE here", "used [REDACTED] here"),
        ("used ghp_abcdefghijklmnopqrst0123456789abcdef here", "used [REDACTED] here"),
        ("a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- b", "a [REDACTED] b"),
        ("a -----BEGIN PRIVATE KEY-----\nMIIE", "a [REDACTED]"),
        ("iban gb82west12345698765432", "iban [REDACTED]"),
        ("x%204111111111111111", "x%20[REDACTED]"),
        ("bob%40example.org", "[REDACTED]"),
        ("paid 20 4111 1111 1111 1111 2026", "paid 20 [REDACTED] 2026"),
    ],
)
def test_each_other_form_is_masked(text: str, masked: str) -> None:
    assert redact_text(text) == masked
