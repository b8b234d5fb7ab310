"""Options are checked before anything starts."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.console import ConsoleError, Options, parse_age, parse_port, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1GiB", 1024**3),
        ("512MiB", 512 * 1024**2),
        ("2GB", 2 * 10**9),
        ("1g", 1024**3),
        ("1048576", 1048576),
        ("1.5 kb", 1500),
    ],
)
def test_sizes_have_units(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "-1GB", "1XB", "1 G i B", "1e9", "٣GB", "1" * 40])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ConsoleError, match="--max-size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("24h", 86_400), ("90s", 90), ("30m", 1800), ("7d", 604_800), ("1h30m", 5400)]
)
def test_ages_have_units(text: str, seconds: int) -> None:
    assert parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "24", "h", "-1h", "1h 30", "1w", "h1"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(ConsoleError, match="--max-age"):
        parse_age(text)


@given(st.text(max_size=12))
def test_any_text_is_an_option_or_an_error_with_its_name(text: str) -> None:
    for parse, name in ((parse_size, "--max-size"), (parse_age, "--max-age"), (parse_port, "--otlp-grpc-port")):
        try:
            parse(text)
        except ConsoleError as error:
            assert str(error).startswith(name)  # noqa: PT017 - most texts raise, some do not


def test_grpc_may_be_switched_off() -> None:
    assert parse_port("none") is None
    assert parse_port("4317") == 4317


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com", ""])
def test_another_host_than_loopback_needs_a_token(host: str) -> None:
    with pytest.raises(ConsoleError, match="MITA_CONSOLE_TOKEN"):
        Options(host=host)
    assert Options(host=host, token="a-long-token").host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_loopback_needs_none(host: str) -> None:
    assert Options(host=host).token is None


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"token": "short"}, "--token"),
        ({"token": "größer-als-8"}, "--token"),
        ({"max_size": 1000}, "--max-size"),
        ({"max_age": 0}, "--max-age"),
    ],
)
def test_what_cannot_work_is_refused_by_name(wrong: dict[str, str | int], named: str) -> None:
    with pytest.raises(ConsoleError, match=named):
        Options(**wrong)  # type: ignore[arg-type] # of one type each


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "uvloop", "httptools"])
def test_without_its_extra_the_console_says_what_to_install(missing: str) -> None:
    ended = run(
        f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['mita-otel', 'console'];"
        "from mita_otel.cli import main; main()"
    )
    assert ended.stderr == f"mita-otel console: {missing} is not installed: pip install 'mita-otel[console]'\n"
    assert ended.returncode == 1


@pytest.mark.parametrize("heavy", ["grpc", "starlette", "uvicorn", "google.protobuf", "sqlite3"])
def test_options_are_read_without_anything_heavy(heavy: str) -> None:
    assert run(f"import sys, mita_otel.cli.console; print({heavy!r} in sys.modules)").stdout == "False\n"
