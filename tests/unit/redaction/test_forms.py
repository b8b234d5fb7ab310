"""Values that are sensitive by their form never survive, wherever they stand; values that only look so always do."""

import json
from urllib.parse import quote_plus

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
