"""Who reports, by settings and resource; how much is kept, by environment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.sentry import Rates, describe, rates_of
from mita_otel.settings import Settings, SettingsError

_DSN = {"SENTRY_DSN": "https://key@sentry.example/1"}


@pytest.mark.parametrize(
    ("environment", "rates"),
    [
        *(("production", Rates(0.1, 0.1)), ("staging", Rates(0.5, 0.5)), ("development", Rates(1, 1))),
        *((" Prod ", Rates(0.1, 0.1)), ("stage", Rates(0.5, 0.5)), ("dev", Rates(1, 1)), ("eu-7", Rates(0.1, 0.1))),
    ],
)
def test_shares_are_those_of_the_report_and_unknown_environments_have_the_least(environment: str, rates: Rates) -> None:
    assert rates_of(environment) == rates


@given(st.text())
def test_any_environment_has_shares(environment: str) -> None:
    assert 0 < rates_of(environment).traces <= 1


def test_the_resource_says_who_reports() -> None:
    resource = {
        "service.name": "shop",
        "service.version": "1.4.2",
        "deployment.environment.name": "staging",
        "host.name": "node-7",
    }
    identity = describe(Settings.read(_DSN), resource)
    assert (identity.environment, identity.release, identity.server_name) == ("staging", "shop@1.4.2", "node-7")
    assert identity.tags == {"service": "shop", "component": "backend", "environment": "staging"}
    assert identity.application == {
        "name": "shop",
        "version": "1.4.2",
        "type": "financial_services",
        "compliance": "PCI_DSS",
    }


def test_sentrys_own_variables_win_over_the_resource() -> None:
    variables = {
        **_DSN,
        "SENTRY_ENVIRONMENT": "blue",
        "SENTRY_RELEASE": "r7",
        "MITA_SENTRY_COMPONENT": "worker",
        "MITA_SENTRY_COMPLIANCE": "SOC2",
        "MITA_SENTRY_APPLICATION_TYPE": "shop",
    }
    identity = describe(Settings.read(variables), {"deployment.environment.name": "staging", "service.version": "1"})
    assert (identity.environment, identity.release) == ("blue", "r7")
    assert identity.tags["component"] == "worker"
    assert (identity.application["type"], identity.application["compliance"]) == ("shop", "SOC2")


def test_without_a_resource_the_environment_is_production_and_there_is_no_release() -> None:
    identity = describe(Settings.read(_DSN), {})
    assert (identity.environment, identity.release, identity.server_name) == ("production", None, None)


@pytest.mark.parametrize(
    ("variables", "rates"),
    [
        ({}, None),
        ({"MITA_SENTRY_TRANSACTIONS": "true"}, Rates(0.5, 0.5)),
        ({"SENTRY_TRACES_SAMPLE_RATE": "0.25"}, Rates(0.25, 0.5)),
        ({"SENTRY_TRACES_SAMPLE_RATE": "0", "MITA_SENTRY_TRANSACTIONS": "true"}, None),
    ],
    ids=["nothing is asked for", "transactions", "a share", "a share of nothing"],
)
def test_transactions_are_kept_only_if_asked_for(variables: dict[str, str], rates: Rates | None) -> None:
    settings = Settings.read({**_DSN, "SENTRY_ENVIRONMENT": "staging", **variables})
    assert describe(settings, {}).rates == rates


@pytest.mark.parametrize("dsn", ["sentry.example", "https://sentry.example/1", "https://key@host/", "ftp://k@h/1"])
def test_what_is_no_dsn_is_refused_and_not_repeated_in_full(dsn: str) -> None:
    with pytest.raises(SettingsError, match=r"SENTRY_DSN=.* is not allowed: it takes a DSN"):
        Settings.read({"SENTRY_DSN": dsn})


@pytest.mark.parametrize(
    "dsn", ["https://k@o1.ingest.sentry.io/4501", "http://k:s@127.0.0.1:8000/sub/1", " https://k@h/2\n"]
)
def test_a_dsn_is_taken(dsn: str) -> None:
    settings = Settings.read({"SENTRY_DSN": dsn})
    assert settings.sentry_dsn is not None
    assert settings.sentry_dsn.get_secret_value() == dsn.strip()


@pytest.mark.parametrize("share", ["1.1", "-0.1", "half"])
def test_a_share_is_between_0_and_1(share: str) -> None:
    with pytest.raises(SettingsError, match="SENTRY_TRACES_SAMPLE_RATE"):
        Settings.read({"SENTRY_TRACES_SAMPLE_RATE": share})
