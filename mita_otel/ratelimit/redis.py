"""The quotas of all replicas, in Redis: one round trip for a request, whatever number of policies it has."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import redis
import redis.asyncio
from redis.exceptions import NoScriptError

from mita_otel.ratelimit.window import Decision, Terms, Window, describe

BEAT: Final = 5.0
"""Seconds between two times that a process says it is there, as part of a request's own round trip."""

AT_ONCE: Final = 32
"""Round trips under way at a time; further requests wait their turn, within the same timeout. redis-py's pool would
answer the 101st with an error."""

PRESENT: Final = 60_000
"""Milliseconds after its last word that a process still counts as a replica."""

SCRIPT: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local cost = tonumber(ARGV[1])
local answer, windows, admitted = {now, 0}, {}, true
if ARGV[2] ~= '' then
  local present = tonumber(ARGV[3])
  redis.call('ZADD', KEYS[1], now, ARGV[2])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - present))
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  answer[2] = redis.call('ZCARD', KEYS[1])
end
for i = 2, #KEYS do
  local limit, length = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local began, before, counted = now, 0, 0
  local kept = redis.call('GET', KEYS[i])
  if kept then
    local b, p, c = string.match(kept, '^(%d+) (%d+) (%d+)$')
    if b then began, before, counted = tonumber(b), tonumber(p), tonumber(c) end
  end
  if now - began >= 2 * length then
    began, before, counted = now, 0, 0
  elseif now < began then
    began = now
  elseif now - began >= length then
    began, before, counted = began + length, counted, 0
  end
  local fits = before * (length - 1 - now + began) < (limit - cost - counted + 1) * length
  admitted = admitted and fits
  windows[i] = {fits and 1 or 0, began, before, counted, length}
end
for i = 2, #KEYS do
  local fits, began, before, counted, length = unpack(windows[i])
  if admitted then
    counted = counted + cost
    local kept = string.format('%.0f %.0f %.0f', began, before, counted)
    redis.call('SET', KEYS[i], kept, 'PX', string.format('%.0f', began + 2 * length - now))
  end
  for _, value in ipairs({fits, began, before, counted}) do answer[#answer + 1] = value end
end
return answer
"""
"""`window.judge`, by the server's clock, for all policies of a request at once: what does not fit counts for none.

KEYS: the replicas, then a window each. ARGV: cost, this replica (or nothing, if it need not say so), how long one is
present, then limit and length for each window. Answer: the time, the replicas (0 if not asked), then for each window
whether it had room, when it began, what came before, what is counted.
"""


_DIGEST: Final = hashlib.sha1(SCRIPT.encode()).hexdigest()  # noqa: S324 - the name that Redis gives a script


class Answer(NamedTuple):
    """What Redis has decided.

    Attributes:
        decisions: in the order of the keys.
        replicas: processes that are there, None if this was not the time to ask.
    """

    decisions: list[Decision]
    replicas: int | None


class RedisWindows:
    """Asks Redis.

    All keys have one hash tag: a cluster keeps them on one node, as what is decided together must be.

    Args:
        client: of redis-py, asyncio, single server or cluster; the application closes it.
        prefix: begins every key, so that limits share a database with whatever else is in it.
        timeout: seconds for a round trip, connecting included.

    Raises:
        TypeError: the client is not one of redis-py's for asyncio.
    """

    __slots__ = ("_beaten_at", "_client", "_name", "_prefix", "_replicas", "_timeout", "_turns")

    def __init__(self, client: "redis.asyncio.Redis | redis.asyncio.RedisCluster", prefix: str, timeout: float) -> None:
        if not isinstance(client, redis.asyncio.Redis | redis.asyncio.RedisCluster):
            raise TypeError("redis must be a client of redis.asyncio, or None")
        self._client: Any = client
        self._prefix = f"{{{prefix}}}:"
        self._replicas = f"{self._prefix}replicas"
        self._timeout = timeout
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._name = secrets.token_hex(8)
        self._beaten_at = -BEAT

    async def take(self, keys: Sequence[str], terms: Sequence[Terms], cost: int, now: float) -> Answer:
        """Judge a request and count it; `now` is the process's monotonic clock, in seconds.

        Raises:
            TimeoutError: Redis did not answer in time.
            redis.RedisError: it answered with an error, or could not be reached.
        """
        beats = now - self._beaten_at >= BEAT
        # With the process's number: a name that was chosen before a fork would be that of several processes.
        arguments: list[Any] = [cost, f"{self._name}:{os.getpid()}" if beats else "", PRESENT]
        for each in terms:
            arguments += each
        async with asyncio.timeout(self._timeout), self._turns:
            answer = await self._run([self._replicas, *(self._prefix + key for key in keys)], arguments)
        if beats:
            self._beaten_at = now
        return Answer(_decisions(answer, cost, terms), answer[1] if beats else None)

    async def _run(self, keys: list[str], arguments: list[Any]) -> list[int]:
        found: list[int]
        try:
            found = await self._client.evalsha(_DIGEST, len(keys), *keys, *arguments)
        except NoScriptError:  # the server is new to it, or has been restarted; from now on it knows the script
            found = await self._client.eval(SCRIPT, len(keys), *keys, *arguments)
        return found


def _decisions(answer: list[int], cost: int, terms: Sequence[Terms]) -> list[Decision]:
    now = answer[0]
    decisions = []
    for number, each in enumerate(terms):
        fits, *window = answer[2 + 4 * number : 6 + 4 * number]
        decisions.append(describe(Window(*window), now, cost, each, is_allowed=bool(fits)))
    return decisions
