"""What is set about Sentry, or a server that speaks its protocol."""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, SecretStr

from mita_otel.settings.values import Part

Share = Annotated[float, Field(ge=0, le=1)]

_DSN: Final = r"https?://[^\s/@:]+(?::[^\s/@]*)?@[^\s/@]+/(?:[^\s]*/)?[0-9]+/?"


def _dsn(value: object) -> object:
    """Return a DSN without spaces around it.

    Raises:
        ValueError: it has no key, no host or no project.
    """
    if not isinstance(value, str):
        return value
    stripped = value.strip()
    if not re.fullmatch(_DSN, stripped):
        raise ValueError("no DSN")
    return stripped


class SentrySettings(Part):
    """Settings of the bridge to Sentry; without a DSN there is none."""

    sentry_dsn: Annotated[SecretStr, BeforeValidator(_dsn)] | None = Field(
        default=None,
        alias="SENTRY_DSN",
        title="where errors are reported; without it Sentry's SDK is not even imported",
        description="a DSN such as https://key@sentry.example/1",
    )
    sentry_environment: str | None = Field(
        default=None,
        alias="SENTRY_ENVIRONMENT",
        title="of the reports; without it deployment.environment.name of the resource, else production",
        description="any name",
    )
    sentry_release: str | None = Field(
        default=None,
        alias="SENTRY_RELEASE",
        title="of the reports; without it service.name@service.version of the resource",
        description="any name",
    )
    sentry_traces_sample_rate: Share | None = Field(
        default=None,
        alias="SENTRY_TRACES_SAMPLE_RATE",
        title="share of the requests that Sentry keeps as transactions, beside OpenTelemetry's traces; turns them on",
        description="a number between 0 and 1",
    )
    sentry_transactions: bool = Field(
        default=False,
        alias="MITA_SENTRY_TRANSACTIONS",
        title="keep transactions and profiles in Sentry too, by the shares of the environment",
        description="true or false",
    )
    sentry_component: str = Field(
        default="backend",
        alias="MITA_SENTRY_COMPONENT",
        title="the tag that says which part of a system reports",
        description="any name",
    )
    sentry_application_type: str = Field(
        default="financial_services",
        alias="MITA_SENTRY_APPLICATION_TYPE",
        title="what kind of application reports, in the context of each report",
        description="any name",
    )
    sentry_compliance: str = Field(
        default="PCI_DSS",
        alias="MITA_SENTRY_COMPLIANCE",
        title="the rules that the application is under, in the context of each report",
        description="any name",
    )
