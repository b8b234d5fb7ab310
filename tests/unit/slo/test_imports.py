"""Who promises nothing pays for nothing."""

import subprocess
import sys


def test_telling_events_imports_neither_yaml_nor_what_judges() -> None:
    asked = (
        "import sys; from mita_otel import slo; slo.event('orders', good=True);"
        "dear = {'yaml', 'pydantic', 'openfeature', 'opentelemetry', 'mita_otel.slo.running'};"
        "print(sorted(dear & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
