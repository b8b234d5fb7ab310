"""Where OTLP goes and how: the standard `OTEL_EXPORTER_OTLP_*` variables, read once into one value a signal."""

import math
import re
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from mita_otel.redaction import REDACTED, redact_url

Signal: TypeAlias = Literal["traces", "metrics", "logs"]
Protocol: TypeAlias = Literal["http/protobuf", "grpc"]
Compression: TypeAlias = Literal["none", "gzip"]

DEFAULT_TIMEOUT: Final = 10.0
"""Seconds one attempt may take, the default of the OTLP exporter specification."""

_DEFAULT_ENDPOINT: Final[Mapping[Protocol, str]] = {
    "http/protobuf": "http://localhost:4318",
    "grpc": "http://localhost:4317",
}
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TRUTH: Final[Mapping[str, bool]] = {"true": True, "false": False}


class OtlpEndpoint(NamedTuple):
    """One signal's destination.

    Attributes:
        url: The whole URL for HTTP (`http://host:4318/v1/traces`); the target `host:port` for gRPC.
        protocol: `http/protobuf` or `grpc`.
        insecure: Plain text if true, TLS if false.
        headers: Lower-case names with decoded values; kept out of `repr` because they carry credentials.
        compression: Of the request body.
        timeout: Seconds one attempt may take, above 0.
        certificate: PEM file of the authorities to trust; None trusts the system's.
        client_key: PEM file of the key for mutual TLS.
        client_certificate: PEM file of the certificate (chain) for mutual TLS.
    """

    url: str
    protocol: Protocol = "http/protobuf"
    insecure: bool = True
    headers: tuple[tuple[str, str], ...] = ()
    compression: Compression = "none"
    timeout: float = DEFAULT_TIMEOUT
    certificate: str | None = None
    client_key: str | None = None
    client_certificate: str | None = None

    def __repr__(self) -> str:
        """Show everything but the headers."""
        shown = (f"{name}={value!r}" for name, value in self._asdict().items() if name != "headers")
        return f"OtlpEndpoint({', '.join(shown)})"

    @property
    def destination(self) -> str:
        """The URL without user, password and query: what a log line may show."""
        if self.protocol == "grpc":
            return self.url
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def otlp_endpoint(environment: Mapping[str, str], signal: Signal) -> OtlpEndpoint:
    """Read one signal's destination from `OTEL_EXPORTER_OTLP_*`; the signal's own variable wins over the general one.

    The general endpoint gets `/v1/<signal>` appended under HTTP, the signal's own is used as it is. An empty value is
    the same as an unset one. `TIMEOUT` is in **seconds**, as in the OpenTelemetry Python SDK (other languages count
    milliseconds). `INSECURE` matters only to a gRPC endpoint without a scheme: `http` and `https` have decided.

    Args:
        environment: Variables by name.
        signal: Whose destination.

    Raises:
        ValueError: A value is not allowed; the message names the variable, the value and what is allowed.

    Source: OpenTelemetry protocol exporter specification, "Configuration Options".
    """
    variables = _Variables(environment, signal)
    protocol = _protocol(variables)
    url, insecure = _http_url(variables, signal) if protocol == "http/protobuf" else _grpc_target(variables)
    client_certificate, client_key = variables.text("CLIENT_CERTIFICATE"), variables.text("CLIENT_KEY")
    if client_key and not client_certificate:
        raise ValueError(
            f"{variables.name('CLIENT_KEY')}={client_key!r} needs OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE beside it"
        )
    return OtlpEndpoint(
        protocol=protocol,
        url=url,
        insecure=insecure,
        headers=_headers(variables),
        compression=_compression(variables),
        timeout=_timeout(variables),
        certificate=variables.text("CERTIFICATE"),
        client_key=client_key,
        client_certificate=client_certificate,
    )


def masked_url(url: str) -> str:
    """Return a URL as a message may show it, also one without a scheme, whose user and password nothing marks."""
    _, at, host = url.rpartition("@")
    return redact_url(url) if "//" in url or not at else f"{REDACTED}@{redact_url(host)}"


class _Variables(NamedTuple):
    """The two names of each option, the signal's first."""

    environment: Mapping[str, str]
    signal: Signal

    def own(self, option: str) -> str | None:
        return self._value(f"OTEL_EXPORTER_OTLP_{self.signal.upper()}_{option}")

    def general(self, option: str) -> str | None:
        return self._value(f"OTEL_EXPORTER_OTLP_{option}")

    def text(self, option: str) -> str | None:
        return self.own(option) or self.general(option)

    def name(self, option: str) -> str:
        own = f"OTEL_EXPORTER_OTLP_{self.signal.upper()}_{option}"
        return own if self.own(option) else f"OTEL_EXPORTER_OTLP_{option}"

    def wrong(self, option: str, allowed: str) -> ValueError:
        text = self.text(option) or ""
        shown = masked_url(text) if option == "ENDPOINT" else text
        return ValueError(f"{self.name(option)}={shown!r} is not allowed; allowed: {allowed}")

    def _value(self, name: str) -> str | None:
        return self.environment.get(name, "").strip() or None


def _protocol(variables: _Variables) -> Protocol:
    match (variables.text("PROTOCOL") or "http/protobuf").lower():
        case "http/protobuf":
            return "http/protobuf"
        case "grpc":
            return "grpc"
        case _:
            raise variables.wrong("PROTOCOL", "http/protobuf, grpc")


def _compression(variables: _Variables) -> Compression:
    match (variables.text("COMPRESSION") or "none").lower():
        case "none":
            return "none"
        case "gzip":
            return "gzip"
        case _:
            raise variables.wrong("COMPRESSION", "none, gzip")


def _timeout(variables: _Variables) -> float:
    text = variables.text("TIMEOUT")
    if text is None:
        return DEFAULT_TIMEOUT
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        raise variables.wrong("TIMEOUT", "seconds above 0, such as 10")
    return seconds


def _http_url(variables: _Variables, signal: Signal) -> tuple[str, bool]:
    own = variables.own("ENDPOINT")
    base = variables.general("ENDPOINT") or _DEFAULT_ENDPOINT["http/protobuf"]
    url = own or f"{base.rstrip('/')}/v1/{signal}"
    allowed = "a URL such as http://localhost:4318 or https://collector.example:4318"
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"} or _CONTROL.search(url) or " " in url:
        raise variables.wrong("ENDPOINT", allowed)
    return url, parts.scheme == "http"


def _grpc_target(variables: _Variables) -> tuple[str, bool]:
    endpoint = variables.text("ENDPOINT") or _DEFAULT_ENDPOINT["grpc"]
    bare = "://" not in endpoint
    parts = _split(f"//{endpoint}" if bare else endpoint)
    if parts is None or parts.scheme not in {"", "http", "https"}:
        raise variables.wrong("ENDPOINT", "host:port, or a URL such as http://localhost:4317 or https://host:4317")
    insecure = _insecure(variables) if bare else parts.scheme == "http"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or (80 if insecure else 443)}", insecure


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        valid = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if valid else None


def _insecure(variables: _Variables) -> bool:
    text = (variables.text("INSECURE") or "false").lower()
    if text not in _TRUTH:
        raise variables.wrong("INSECURE", "true, false")
    return _TRUTH[text]


def _headers(variables: _Variables) -> tuple[tuple[str, str], ...]:
    """Decode `name=value,name=value` with percent-encoding; the later of two equal names wins."""
    headers: dict[str, str] = {}
    for position, entry in enumerate((variables.text("HEADERS") or "").split(","), start=1):
        if not entry.strip():
            continue
        name, separator, value = (unquote(part.strip()) for part in entry.partition("="))
        if not (separator and _HEADER_NAME.fullmatch(name)) or _CONTROL.search(value):
            # The value stays out of the message: headers carry credentials.
            raise ValueError(
                f"{variables.name('HEADERS')}: entry {position} is not allowed; allowed: name=value pairs separated "
                "by commas, values percent-encoded, such as authorization=Bearer%20token"
            )
        headers[name.lower()] = value
    return tuple(headers.items())
