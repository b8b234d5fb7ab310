from types import SimpleNamespace

import pytest

from mita_otel.libraries.database import Endpoint
from mita_otel.libraries.redis import endpoint


@pytest.mark.parametrize(
    ("connection_kwargs", "expected"),
    [
        ({"host": "cache", "port": 6380, "db": 2}, Endpoint("redis", "2", "cache", 6380)),
        ({}, Endpoint("redis", "0", "localhost", 6379)),
        ({"path": "/run/redis.sock", "db": 1}, Endpoint("redis", "1", "/run/redis.sock")),
        ({"connection_pool": SimpleNamespace(service_name="primary")}, Endpoint("redis", "0", "primary")),
    ],
)
def test_an_endpoint_is_read_from_the_arguments_of_a_connection(
    connection_kwargs: dict[str, object], expected: Endpoint
) -> None:
    assert endpoint(connection_kwargs) == expected
