"""The doctor on the real stack: its span goes through the Collector and is found in Jaeger."""

import json
import subprocess

import pytest

from mita_otel.stack import NativeStack
from tests.fixtures.polling import find_free_port
from tests.fixtures.service import PROGRAMS, ROOT, clean_environment
from tests.stack.otlp import Backends

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_the_probe_span_is_found_in_jaeger_and_nothing_is_wrong(
    stack: NativeStack, backends: Backends, protocol: str
) -> None:
    endpoints = stack.endpoints
    variables = {
        "OTEL_SERVICE_NAME": "examined",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoints.otlp_grpc if protocol == "grpc" else endpoints.otlp_http,
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "MITA_JAEGER_URL": endpoints.jaeger,
        "MITA_CONSOLE_URL": f"http://127.0.0.1:{find_free_port()}",
    }
    command = [str(PROGRAMS / "mita-otel"), "doctor", "--json"]
    environment = clean_environment(variables)
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
    document = json.loads(ended.stdout)
    assert [one for one in document["findings"] if one["verdict"] != "ok"] == []
    assert ended.returncode == 0
    (arrival,) = [one for one in document["findings"] if one["check"] == "arrival"]
    assert arrival["sentence"].startswith(f"the probe span is in Jaeger at {endpoints.jaeger}")
