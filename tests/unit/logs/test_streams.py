"""Each record belongs to one stream: by what the call says, else its logger's name, else the words of its template."""

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.logs.streams import APPLICATION, AUDIT, PERFORMANCE, READ, SECURITY, STREAMS, WORDS, stream_of


@pytest.mark.parametrize(
    ("template", "stream"),
    [
        ("login of %s failed", SECURITY),
        ("user_login_failed", SECURITY),
        ("permissions were changed", SECURITY),
        ("XSS in a comment", SECURITY),
        ("author %s wrote", APPLICATION),
        ("authors of a book", APPLICATION),
        ("blogins", APPLICATION),
        ("audit: %s", AUDIT),
        ("data_access by %s", AUDIT),
        ("data-access by %s", AUDIT),
        ("the data was easy to access", APPLICATION),
        ("requests answered", AUDIT),
        ("requester", APPLICATION),
        ("slow query", PERFORMANCE),
        ("memory=%s", PERFORMANCE),
        ("slowly", APPLICATION),
        ("order %s paid", APPLICATION),
        ("", APPLICATION),
    ],
)
def test_words_of_the_template_decide(template: str, stream: str) -> None:
    assert stream_of("shop.orders", template) == stream


@pytest.mark.parametrize("stream", list(WORDS))
def test_every_word_of_the_report_is_found(stream: str) -> None:
    of_the_report = {
        SECURITY: ["auth", "login", "permission", "injection", "xss", "csrf", "attack"],
        AUDIT: ["audit", "request", "response", "data_access", "compliance"],
        PERFORMANCE: ["slow", "timeout", "database", "query", "memory", "cpu"],
    }
    assert {stream_of("shop", f"about {word.upper()}, more") for word in of_the_report[stream]} == {stream}


def test_security_comes_before_audit_and_that_before_performance() -> None:
    assert stream_of("shop", "slow login request") == SECURITY
    assert stream_of("shop", "slow request") == AUDIT


@pytest.mark.parametrize(
    ("logger", "stream"),
    [
        ("app.auth", SECURITY),
        ("app_security", SECURITY),
        ("app.author", APPLICATION),
        ("mita_otel.logs.audit", AUDIT),
        ("app.performance.cache", PERFORMANCE),
    ],
)
def test_the_name_of_the_logger_comes_first(logger: str, stream: str) -> None:
    assert stream_of(logger, "order paid") == stream
    if stream != APPLICATION:
        assert stream_of(logger, "slow query after a login") == stream


@pytest.mark.parametrize("logger", ["httpx", "sqlalchemy.engine.Engine", "uvicorn.error", "mita_otel.export"])
def test_a_library_that_speaks_of_requests_is_no_audit_trail(logger: str) -> None:
    assert stream_of(logger, 'HTTP Request: %s %s "%s %d %s"') == APPLICATION


def test_what_the_call_says_wins_and_is_no_extra_any_more(room: Any) -> None:
    logging.getLogger("app.auth").info("slow query", extra={"mita.log.stream": "audit", "order": 7})

    [line], [record] = room.lines, room.exported
    assert line["mita.log.stream"] == record.attributes["mita.log.stream"] == "audit"
    assert line["order"] == 7
    assert "extra.mita.log.stream" not in line


def test_a_stream_that_does_not_exist_is_refused_with_a_note(room: Any) -> None:
    logging.getLogger("shop").info("order paid", extra={"mita.log.stream": "billing"})

    [line] = room.lines
    assert line["mita.log.stream"] == "application"
    assert line["log.note"] == "mita.log.stream takes application, security, audit, performance"


def test_arguments_do_not_decide(room: Any) -> None:
    logging.getLogger("shop").info("name is %s", "slow login request")

    assert room.lines[0]["mita.log.stream"] == "application"


def test_a_template_is_judged_by_its_beginning(room: Any) -> None:
    template = "x " * READ + "login"
    logging.getLogger("shop").info(template)

    assert room.lines[0]["mita.log.stream"] == "application"


@given(st.text(max_size=READ), st.text(max_size=300))
def test_any_text_has_one_stream(template: str, logger: str) -> None:
    assert stream_of(logger, template) in STREAMS
