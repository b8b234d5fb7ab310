"""The standard variables mean what the OTLP exporter specification says."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.endpoint import OtlpEndpoint, Signal, otlp_endpoint

P = "OTEL_EXPORTER_OTLP_"


def test_without_variables_it_is_http_to_localhost() -> None:
    assert otlp_endpoint({}, "traces") == OtlpEndpoint(url="http://localhost:4318/v1/traces")


def test_without_an_endpoint_grpc_goes_to_localhost() -> None:
    assert otlp_endpoint({P + "PROTOCOL": "grpc"}, "logs") == OtlpEndpoint(protocol="grpc", url="localhost:4317")


@pytest.mark.parametrize("base", ["http://c:1/prefix", "http://c:1/prefix/"])
@pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
def test_the_general_endpoint_gets_the_signal_appended(base: str, signal: Signal) -> None:
    assert otlp_endpoint({P + "ENDPOINT": base}, signal).url == f"http://c:1/prefix/v1/{signal}"


def test_the_signals_own_endpoint_is_used_as_it_is() -> None:
    environment = {P + "ENDPOINT": "http://other:1", P + "TRACES_ENDPOINT": "https://c:1/custom"}
    endpoint = otlp_endpoint(environment, "traces")
    assert (endpoint.url, endpoint.insecure) == ("https://c:1/custom", False)


@pytest.mark.parametrize(
    ("value", "insecure_flag", "target", "insecure"),
    [
        ("http://c:4317", "", "c:4317", True),
        ("https://c:4317", "true", "c:4317", False),
        ("https://c", "", "c:443", False),
        ("http://[::1]:4317/ignored", "", "[::1]:4317", True),
        ("c:4317", "", "c:4317", False),
        ("c:4317", "true", "c:4317", True),
        ("c:4317", "FALSE", "c:4317", False),
    ],
)
def test_the_scheme_decides_about_tls_and_the_flag_where_there_is_none(
    value: str, insecure_flag: str, target: str, *, insecure: bool
) -> None:
    environment = {P + "PROTOCOL": "grpc", P + "ENDPOINT": value, P + "INSECURE": insecure_flag}
    endpoint = otlp_endpoint(environment, "traces")
    assert (endpoint.url, endpoint.insecure) == (target, insecure)


def test_the_signals_own_options_win_and_empty_ones_do_not() -> None:
    environment = {
        P + "TIMEOUT": "3",
        P + "TRACES_TIMEOUT": "1.5",
        P + "COMPRESSION": "gzip",
        P + "TRACES_COMPRESSION": "",
        P + "CERTIFICATE": "/ca",
        P + "TRACES_CLIENT_CERTIFICATE": "/cert",
        P + "CLIENT_KEY": "/key",
    }
    endpoint = otlp_endpoint(environment, "traces")
    assert (endpoint.timeout, endpoint.compression) == (1.5, "gzip")
    assert (endpoint.certificate, endpoint.client_certificate, endpoint.client_key) == ("/ca", "/cert", "/key")


def test_headers_are_percent_decoded_and_their_names_lower_case() -> None:
    endpoint = otlp_endpoint({P + "HEADERS": "Authorization=Bearer%20a%2Cb%3D, x-tenant = blue ,"}, "traces")
    assert endpoint.headers == (("authorization", "Bearer a,b="), ("x-tenant", "blue"))


@given(
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True), st.text("abc ,;=%\u00e9\u20ac", min_size=1))
)
def test_any_header_value_survives_encoding(headers: dict[str, str]) -> None:
    headers = {name: value.strip() or "x" for name, value in headers.items()}
    text = ",".join(f"{name}={quote(value, safe='')}" for name, value in headers.items())
    assert dict(otlp_endpoint({P + "HEADERS": text}, "traces").headers) == headers


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("PROTOCOL", "http/json", "http/protobuf, grpc"),
        ("TRACES_PROTOCOL", "udp", "http/protobuf, grpc"),
        ("COMPRESSION", "deflate", "none, gzip"),
        ("TIMEOUT", "soon", "seconds"),
        ("TIMEOUT", "0", "seconds"),
        ("TIMEOUT", "-1", "seconds"),
        ("TIMEOUT", "nan", "seconds"),
        ("TIMEOUT", "inf", "seconds"),
        ("ENDPOINT", "localhost:4318", "http://localhost:4318"),
        ("ENDPOINT", "ftp://c", "http://localhost:4318"),
        ("TRACES_ENDPOINT", "http://", "http://localhost:4318"),
        ("ENDPOINT", "http://c:port", "http://localhost:4318"),
        ("ENDPOINT", "http://c/ x", "http://localhost:4318"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_variable_value_and_what_is_allowed(
    variable: str, value: str, allowed: str
) -> None:
    with pytest.raises(ValueError, match=P + variable) as raised:
        otlp_endpoint({P + variable: value}, "traces")
    assert value in str(raised.value)
    assert allowed in str(raised.value)


def test_a_wrong_grpc_endpoint_and_flag_are_errors() -> None:
    with pytest.raises(ValueError, match="INSECURE='maybe'"):
        otlp_endpoint({P + "PROTOCOL": "grpc", P + "ENDPOINT": "c:1", P + "INSECURE": "maybe"}, "traces")
    with pytest.raises(ValueError, match="ENDPOINT='ftp://c'"):
        otlp_endpoint({P + "PROTOCOL": "grpc", P + "ENDPOINT": "ftp://c"}, "traces")


def test_a_key_without_a_certificate_is_an_error() -> None:
    with pytest.raises(ValueError, match="CLIENT_KEY='/key'"):
        otlp_endpoint({P + "CLIENT_KEY": "/key"}, "traces")


@pytest.mark.parametrize("headers", ["authorization", "a b=secret", "=secret", "x=secret%0d%0ainjected: 1"])
def test_a_wrong_header_is_an_error_that_keeps_the_value_to_itself(headers: str) -> None:
    with pytest.raises(ValueError, match="entry 1 is not allowed") as raised:
        otlp_endpoint({P + "HEADERS": headers}, "traces")
    assert "secret" not in str(raised.value)


def test_credentials_show_neither_in_repr_nor_in_the_destination() -> None:
    environment = {P + "HEADERS": "authorization=secret", P + "TRACES_ENDPOINT": "https://me:secret@c:1/v1?key=secret"}
    endpoint = otlp_endpoint(environment, "traces")
    assert endpoint.destination == "https://c:1/v1"
    assert "authorization" not in repr(endpoint)


@pytest.mark.parametrize("url", ["me:hunter2@c:4318", "ftp://me:hunter2@c", "http://me:hunter2@c:port"])
def test_a_wrong_endpoint_is_an_error_that_keeps_its_password_to_itself(url: str) -> None:
    with pytest.raises(ValueError, match="is not allowed") as raised:
        otlp_endpoint({P + "ENDPOINT": url}, "traces")
    assert "hunter2" not in str(raised.value)
