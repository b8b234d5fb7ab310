"""What is set about those who look after a service."""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field, SecretStr

from mita_otel.settings.values import Part, Url, token

DOCTOR_PATH: Final = "/_mita/doctor"
"""Where a service says what the doctor finds in it: known to who asks as well as to who answers."""


class AdministrationSettings(Part):
    """Settings of those who look after a service."""

    admin_token: Annotated[SecretStr, BeforeValidator(token)] | None = Field(
        default=None,
        alias="MITA_ADMIN_TOKEN",
        title="what Authorization: Bearer must hold for the endpoints of administrators",
        description="16 or more ASCII characters without spaces; opens GET /_mita/doctor and others, not there without",
    )
    jaeger_url: Url = Field(
        default="http://127.0.0.1:16686",
        alias="MITA_JAEGER_URL",
        title="for mita-otel doctor",
        description="URL of Jaeger's API, where the doctor looks for its span",
    )
    console_url: Url = Field(
        default="http://127.0.0.1:8317",
        alias="MITA_CONSOLE_URL",
        title="for mita-otel doctor",
        description="URL of the console, where the doctor looks for its span",
    )
