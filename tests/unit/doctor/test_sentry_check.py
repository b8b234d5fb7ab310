"""The doctor says whether errors are reported, and why not."""

from typing import Any

from mita_otel.doctor.checks.sentry import judge
from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.model import Judgement, Verdict
from mita_otel.settings import Settings
from tests.unit.doctor.conftest import process

DSN = "https://public:secret@sentry.example/7"


def _judged(variables: dict[str, str], **more: Any) -> Judgement | None:
    settings, error = Settings.read_leniently(variables)
    facts = Facts(variables=variables, settings=settings, problems=error.problems if error else {}, **more)
    return next(iter(judge(facts)), None)


def test_without_a_dsn_sentry_is_off() -> None:
    judgement = _judged({})
    assert judgement is not None
    assert (judgement.verdict, judgement.sentence) == (Verdict.OK, "off: SENTRY_DSN is not set")


def test_settings_that_need_a_dsn_are_told_of_without_one() -> None:
    judgement = _judged({"SENTRY_ENVIRONMENT": "staging"})
    assert judgement is not None
    assert judgement.verdict is Verdict.WARNING
    assert judgement.fix == "set SENTRY_DSN, too"


def test_a_dsn_that_is_not_allowed_is_left_to_the_check_of_settings() -> None:
    assert _judged({"SENTRY_DSN": "sentry.example"}) is None


def test_with_a_dsn_it_says_where_reports_go_as_whose_and_what_else_does_and_shows_no_key() -> None:
    known = process(resource={"service.name": "shop", "service.version": "2", "deployment.environment.name": "staging"})
    judgement = _judged({"SENTRY_DSN": DSN, "MITA_SENTRY_TRANSACTIONS": "true"}, process=known)
    assert judgement is not None
    assert judgement.sentence == (
        "errors go to sentry.example, environment staging, release shop@2; 50% of the requests as transactions"
    )
    assert "no transactions" in str(_judged({"SENTRY_DSN": DSN}))
