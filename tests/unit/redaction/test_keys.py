"""Names are judged word by word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.redaction import is_sensitive_key

_REPORT = [
    *("password", "token", "secret", "key", "authorization", "card_number", "cvv", "pin", "ssn", "tax_id"),
    *("account_number", "routing_number", "iban", "swift", "bank_account", "sort_code"),
]


@pytest.mark.parametrize("name", _REPORT)
def test_each_field_of_the_report_is_sensitive(name: str) -> None:
    assert is_sensitive_key(name)


@pytest.mark.parametrize("name", [name for name in _REPORT if name != "key"])
@pytest.mark.parametrize("written", ["{0}", "user.{0}", "x-{0}-2", "{0}[0]", "http.request.header.{0}"])
def test_a_field_is_sensitive_however_it_is_written(name: str, written: str) -> None:
    camel = name.title().replace("_", "")
    for spelled in (name, name.upper(), name.replace("_", "-"), name.replace("_", "."), camel):
        assert is_sensitive_key(written.format(spelled)), spelled


@pytest.mark.parametrize(
    "name",
    [
        *("passwd", "dbpassword", "DB_PASSWORD", "newPassword", "apiKey", "X-API-Key", "apikey", "accessToken"),
        *("csrf_token", "refresh_tokens", "http.request.header.authorization", "http.request.header.cookie"),
        *("Set-Cookie", "cardNumber", "creditcard", "CVV2", "pinCode", "accountnumber", "client_secret", "privateKey"),
        *("aws_secret_access_key", "phone", "phone_number", "email", "db.query.parameter.password", "auth", "jwt"),
    ],
)
def test_a_relative_of_these_fields_is_sensitive(name: str) -> None:
    assert is_sensitive_key(name)


@pytest.mark.parametrize(
    "name",
    [
        *("author", "authority", "monkey", "pinned", "spin", "secretary", "company", "swiftly", "keyboard", "tokens"),
        *("tokens_used", "token_count", "gen_ai.usage.input_tokens", "max_tokens", "token_type", "token_expires_at"),
        *("cache.key", "primary_key", "db.redis.key", "idempotency_key", "messaging.kafka.message.key", "sort_key"),
        *("db.operation.name", "db.query.text", "trace_id", "span_id", "http.route", "url.path", "user.id", "order_id"),
        *("password_length", "auth.method", "card_type", "account_id", "routing_key", "encoding", "error.type", ""),
    ],
)
def test_a_name_that_only_resembles_one_is_not(name: str) -> None:
    assert not is_sensitive_key(name)


@given(st.text())
def test_any_name_can_be_judged(name: str) -> None:
    assert isinstance(is_sensitive_key(name), bool)


def test_a_sensitive_word_at_the_end_of_a_very_long_name_counts() -> None:
    assert is_sensitive_key("a_" * 500 + "password")
