"""What is set about errors."""

from pydantic import Field

from mita_otel.settings.values import Part, Url


class ErrorsSettings(Part):
    """Settings of errors."""

    alertmanager_url: Url | None = Field(
        default=None,
        alias="MITA_ALERTMANAGER_URL",
        title="told when errors of one origin reach their threshold; without it only the log is",
        description="URL of Alertmanager",
    )
    error_types: str = Field(
        default="about:blank",
        alias="MITA_ERROR_TYPES",
        pattern=r"^(about:blank|https?://[^/\s]+/([^\s]*/)?)$",
        title="beginning of the `type` of error answers, to which the error's code is added",
        description="about:blank, or a URL that ends with a slash",
    )
