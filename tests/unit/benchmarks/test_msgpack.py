import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.overhead.received.msgpack import unpack


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\xc0", None),
        (b"\xc2", False),
        (b"\xc3", True),
        (b"\x00", 0),
        (b"\x7f", 127),
        (b"\xff", -1),
        (b"\xe0", -32),
        (b"\xcc\x80", 128),
        (b"\xcd\x01\x00", 256),
        (b"\xce\xff\xff\xff\xff", 2**32 - 1),
        (b"\xcf" + b"\xff" * 8, 2**64 - 1),
        (b"\xd0\x80", -128),
        (b"\xd1\x80\x00", -(2**15)),
        (b"\xd2\x80\x00\x00\x00", -(2**31)),
        (b"\xd3\x80" + b"\x00" * 7, -(2**63)),
        (b"\xca\x3f\x80\x00\x00", 1.0),
        (b"\xcb\x3f\xf0" + b"\x00" * 6, 1.0),
        (b"\xa2ab", "ab"),
        (b"\xd9\x02ab", "ab"),
        (b"\xda\x00\x02ab", "ab"),
        (b"\xdb\x00\x00\x00\x02ab", "ab"),
        (b"\xc4\x02ab", b"ab"),
        (b"\xc5\x00\x02ab", b"ab"),
        (b"\xc6\x00\x00\x00\x02ab", b"ab"),
        (b"\x92\x01\x02", [1, 2]),
        (b"\xdc\x00\x02\x01\x02", [1, 2]),
        (b"\xdd\x00\x00\x00\x02\x01\x02", [1, 2]),
        (b"\x81\xa1a\x01", {"a": 1}),
        (b"\xde\x00\x01\x01\x02", {1: 2}),
        (b"\xdf\x00\x00\x00\x01\x01\x02", {1: 2}),
        (b"\xd4\x05a", (5, b"a")),
        (b"\xd8\xff" + b"a" * 16, (-1, b"a" * 16)),
        (b"\xc7\x03\x05abc", (5, b"abc")),
    ],
)
def test_each_form_of_the_format_is_read(data: bytes, value: object) -> None:
    assert unpack(data) == value


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\xa2a", b"\xcd\x01", b"\x92\x01", b"\x00\x00", b"\x81\x90\x01"])
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(unpack(data), int | float | str | bytes | list | dict | tuple | None)


def _pack(value: object) -> bytes:
    """Write the longest form of each value."""
    match value:
        case bool() | None:
            return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
        case int():
            return b"\xd3" + struct.pack(">q", value)
        case float():
            return b"\xcb" + struct.pack(">d", value)
        case str():
            return b"\xdb" + struct.pack(">I", len(value.encode())) + value.encode()
        case list():
            return b"\xdd" + struct.pack(">I", len(value)) + b"".join(map(_pack, value))
        case dict():
            pairs = b"".join(_pack(key) + _pack(item) for key, item in value.items())
            return b"\xdf" + struct.pack(">I", len(value)) + pairs
        case _:
            raise AssertionError(value)


_SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()


@given(st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20))
def test_what_was_packed_is_read_again(value: object) -> None:
    assert unpack(_pack(value)) == value
