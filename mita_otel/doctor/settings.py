"""Every setting with its value, where the value comes from, and what is allowed; secrets masked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr

from mita_otel.endpoint import OtlpEndpoint, Signal, masked_url
from mita_otel.redaction import REDACTED, is_sensitive_key, redact_text
from mita_otel.settings import OTEL_DEFAULTS, Settings, table

DEFAULT: Final = "default"
DISTRIBUTION: Final = "mita-otel"
"""Source of a default that the SDK has another one for."""
ENVIRONMENT: Final = "environment"
NOT_ALLOWED: Final = "default, for the environment's is not allowed"

PREFIXES: Final = ("MITA_", "OTEL_", "FASTAPI_OTEL_", "PROTOCOL_BUFFERS_")
"""Beginnings of the variables that are about telemetry."""

_OPTIONS: Final = {
    "ENDPOINT": ("url", "a URL; host:port for gRPC"),
    "PROTOCOL": ("protocol", "http/protobuf or grpc"),
    "HEADERS": ("headers", "name=value pairs separated by commas, values percent-encoded"),
    "TIMEOUT": ("timeout", "seconds above 0"),
    "COMPRESSION": ("compression", "none or gzip"),
    "CERTIFICATE": ("certificate", "a PEM file"),
    "CLIENT_CERTIFICATE": ("client_certificate", "a PEM file"),
    "CLIENT_KEY": ("client_key", "a PEM file"),
}
"""The options of OTLP that are read for each signal, by the end of their variables' names."""

OTLP_VARIABLES: Final = tuple(
    f"OTEL_EXPORTER_OTLP_{signal}{option}"
    for signal in ("", "TRACES_", "METRICS_", "LOGS_")
    for option in (*_OPTIONS, "INSECURE")
)

_DISABLED: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"

_ALWAYS: Final = frozenset({"ENDPOINT", "PROTOCOL"})
"""Options that are shown although nothing sets them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One setting.

    Attributes:
        name: of its variable.
        value: that holds, masked.
        source: where it comes from: `default`, `mita-otel`, `environment`, or the name of a more general variable.
        allowed: what it takes.
    """

    name: str
    value: str
    source: str
    allowed: str


def as_given(variables: Mapping[str, str]) -> dict[str, str]:
    """Return a service's variables as its user gave them: without what the distribution has written into them."""
    given = {name: value for name, value in variables.items() if OTEL_DEFAULTS.get(name) != value}
    disabled = ",".join(Settings.read_leniently(variables)[0].disabled_by_user)
    given.pop(_DISABLED, None)
    return {**given, _DISABLED: disabled} if disabled else given


def rows(variables: Mapping[str, str]) -> tuple[Row, ...]:
    """Return a row for each setting of the reference page, each option of OTLP, and each other variable that is set."""
    settings, problem = Settings.read_leniently(variables)
    wrong = problem.problems if problem else {}
    given = {name: value for name, value in variables.items() if name.startswith(PREFIXES) and value.strip()}
    ours = [_row(described, settings, given, wrong) for described in table()]
    otlp = [row for signal, endpoint in settings.otlp.items() for row in _otlp(signal, endpoint, given, wrong)]
    told = {row.name for row in (*ours, *otlp)} | {row.source for row in otlp}
    others = sorted({*given, *OTEL_DEFAULTS} - told)
    return (*ours, *otlp, *(_other(name, given) for name in others))


def _other(name: str, given: Mapping[str, str]) -> Row:
    value = given.get(name, OTEL_DEFAULTS.get(name, ""))
    return Row(name, mask(name, value), ENVIRONMENT if name in given else DISTRIBUTION, "what its reader takes")


def _row(described: Mapping[str, Any], settings: Settings, given: Mapping[str, str], wrong: Mapping[str, str]) -> Row:
    name = str(described["name"])
    field = next(field for field, info in Settings.model_fields.items() if info.alias == name)
    if name in wrong:
        source = NOT_ALLOWED
    elif name in given:
        source = ENVIRONMENT
    else:
        source = DISTRIBUTION if name in OTEL_DEFAULTS else DEFAULT
    return Row(name, mask(name, _text(getattr(settings, field))), source, str(described["allowed"]))


def _otlp(signal: Signal, endpoint: OtlpEndpoint, given: Mapping[str, str], wrong: Mapping[str, str]) -> Iterator[Row]:
    for option, (attribute, allowed) in _OPTIONS.items():
        own, general = f"OTEL_EXPORTER_OTLP_{signal.upper()}_{option}", f"OTEL_EXPORTER_OTLP_{option}"
        source = ENVIRONMENT if own in given else general if general in given else DEFAULT
        if {own, general} & wrong.keys():
            source = NOT_ALLOWED
        if source != DEFAULT or option in _ALWAYS:
            yield Row(own, _option(option, getattr(endpoint, attribute)), source, allowed)


def _option(option: str, value: object) -> str:
    if option == "HEADERS" and isinstance(value, tuple):
        return ",".join(f"{name}={REDACTED}" for name, _ in value)
    return masked_url(str(value)) if option == "ENDPOINT" else _text(value)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case tuple():
            return ",".join(map(str, value))
        case SecretStr():
            return value.get_secret_value()
        case _:
            return str(value)


def mask(name: str, value: str) -> str:
    """Return the value of a variable as it may be shown."""
    if value and (is_sensitive_key(name) or name.endswith("_HEADERS")):
        return REDACTED
    shown = masked_url(value) if "@" in value or "://" in value else redact_text(value)
    return "".join(character if character.isprintable() else " " for character in shown)
