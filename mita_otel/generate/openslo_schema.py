"""The JSON Schema of the files of objectives: for editors, which complete and check as one writes."""

import json

from mita_otel.slo.openslo import schema


def text() -> str:
    """Return the schema."""
    return json.dumps(schema(), indent=2) + "\n"
