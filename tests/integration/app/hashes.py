"""Argon2 that takes a millisecond: tests hash thousands of passwords, and none is about how long that takes."""

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

HASHER = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),))
UNKNOWN = HASHER.hash("nobody's password")
