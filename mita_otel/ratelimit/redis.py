"""The quotas of all replicas, in Redis: one round trip for a request, whatever number of policies it has."""

import asyncio
import hashlib
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

import redis
import redis.asyncio
from redis.exceptions import NoScriptError

from mita_otel.ratelimit.flights import AT_ONCE, Flights
from mita_otel.ratelimit.window import Decision, Terms, Window, describe

BEAT: Final = 5.0
"""Seconds between two times that a process says it is there, as part of a request's own round trip."""

START: Final = 1.0
"""Seconds that the start of a process waits for Redis."""

PRESENT: Final = 60_000
"""Milliseconds after its last word that a process still counts as a replica."""

SCRIPT: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer = {now, 0}
if ARGV[1] ~= '' then
  redis.call('ZADD', KEYS[1], now, ARGV[1])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - tonumber(ARGV[2])))
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  answer[2] = redis.call('ZCARD', KEYS[1])
end

local function look(key, limit, length, cost)
  local began, before, counted = now, 0, 0
  local kept = redis.call('GET', key)
  if kept and #kept <= 48 then
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
  return {fits = fits, began = began, before = before, counted = counted, length = length}
end

local at, key = 3, 2
while at <= #ARGV do
  local cost, number, admitted, windows = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), true, {}
  at = at + 2
  for i = 1, number do
    windows[i] = look(KEYS[key + i - 1], tonumber(ARGV[at]), tonumber(ARGV[at + 1]), cost)
    admitted = admitted and windows[i].fits
    at = at + 2
  end
  for i, window in ipairs(windows) do
    if admitted then
      window.counted = window.counted + cost
      local kept = string.format('%.0f %.0f %.0f', window.began, window.before, window.counted)
      local left = string.format('%.0f', window.began + 2 * window.length - now)
      redis.call('SET', KEYS[key + i - 1], kept, 'PX', left)
    end
    for _, value in ipairs({window.fits and 1 or 0, window.began, window.before, window.counted}) do
      answer[#answer + 1] = value
    end
  end
  key = key + number
end
return table.concat(answer, ' ')
"""
"""`window.judge`, by the server's clock, for one request after the other: what does not fit counts for none.

KEYS: the replicas, then a window for each policy of each request. ARGV: this replica (or nothing, if it need not say
so) and how long it is present; then for each request its cost, its number of policies, and limit and length of each.
Answer: numbers in one text, which a client reads many times faster than an array: the time, the replicas (0 if not
asked), then for each window whether it had room, when it began, what came before, what is counted.
"""

_DIGEST: Final = hashlib.sha1(SCRIPT.encode()).hexdigest()  # noqa: S324 - the name that Redis gives a script


class Asked(NamedTuple):
    """What is asked about one request."""

    keys: Sequence[str]
    terms: Sequence[Terms]
    cost: int


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
        timeout: seconds of silence, connecting included, after which Redis is away.

    Raises:
        TypeError: the client is not one of redis-py's for asyncio.
    """

    __slots__ = ("_beaten_at", "_client", "_flights", "_name", "_prefix", "_replicas")

    def __init__(self, client: "redis.asyncio.Redis | redis.asyncio.RedisCluster", prefix: str, timeout: float) -> None:
        if not isinstance(client, redis.asyncio.Redis | redis.asyncio.RedisCluster):
            raise TypeError("redis must be a client of redis.asyncio, or None")
        self._client: Any = client
        self._prefix = f"{{{prefix}}}:"
        self._replicas = f"{self._prefix}replicas"
        self._flights: Flights[Asked, Answer] = Flights(self._carry, timeout)
        self._name = secrets.token_hex(8)
        self._beaten_at = -BEAT

    async def take(self, keys: Sequence[str], terms: Sequence[Terms], cost: int) -> Answer:
        """Judge a request and count it.

        Raises:
            TimeoutError: Redis did not answer in time.
            QueueError: it did, but so many ask that this one was not answered.
            redis.RedisError: it answered with an error, or could not be reached.
        """
        return await self._flights.take(Asked(keys, terms, cost))

    async def introduce(self) -> int:
        """Connect, teach Redis the script, and say that this process is there; return how many are.

        Raises:
            TimeoutError: Redis did not answer within a second.
            redis.RedisError: it answered with an error, or could not be reached.
        """
        async with asyncio.timeout(START):
            await asyncio.gather(*(self._carry(()) for _ in range(AT_ONCE)))
            self._beaten_at = -BEAT
            [answer] = await self._carry((Asked((), (), 0),))
        return answer.replicas or 1

    async def _carry(self, requests: Sequence[Asked]) -> list[Answer]:
        now = time.monotonic()
        beats = now - self._beaten_at >= BEAT
        # With the process's number: a name that was chosen before a fork would be that of several processes.
        arguments: list[Any] = [f"{self._name}:{os.getpid()}" if beats else "", PRESENT]
        keys = [self._replicas]
        for request in requests:
            keys += [self._prefix + key for key in request.keys]
            arguments += [request.cost, len(request.keys)]
            for terms in request.terms:
                arguments += terms
        answer = await self._run(keys, arguments)
        if beats:
            self._beaten_at = now
        return _answers(requests, answer, answer[1] if beats else None)

    async def _run(self, keys: list[str], arguments: list[Any]) -> list[int]:
        try:
            found = await self._client.evalsha(_DIGEST, len(keys), *keys, *arguments)
        except NoScriptError:  # the server is new to it, or has been restarted; from now on it knows the script
            found = await self._client.eval(SCRIPT, len(keys), *keys, *arguments)
        return [int(number) for number in found.split()]


def _answers(requests: Sequence[Asked], answer: Sequence[int], replicas: int | None) -> list[Answer]:
    now, windows = answer[0], iter(answer[2:])
    return [Answer(_decisions(request, now, windows), replicas) for request in requests]


def _decisions(request: Asked, now: int, windows: Iterator[int]) -> list[Decision]:
    decisions = []
    for terms in request.terms:
        fits, *window = islice(windows, 4)
        decisions.append(describe(Window(*window), now, request.cost, terms, is_allowed=bool(fits)))
    return decisions
