-- All changes of a shared circuit: one hash, the server's clock, and a version that only grows.
--
-- KEYS[1]: the hash. ARGV[1]: JSON with `op`, `known` (the version that the sender acts upon) and `ttl` (ms), and
--   trip:     open_ms, backoff, max_ms, jitter, draw, reason, causes
--   probe:    tickets (wanted), budget, at_once, lease_ms
--   result:   ticket, outcome (ok | failed | none), slow, budget, failed_limit, slow_limit, and what a trip takes
--   override: override ('' for none)
-- Returns JSON: version, state, wait_ms, trips, reason, causes, override, granted, changed.
local key, ask = KEYS[1], cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local circuit = {}
local flat = redis.call('HGETALL', key)
for i = 1, #flat, 2 do circuit[flat[i]] = flat[i + 1] end
local version = tonumber(circuit.version or '0')
local exists = #flat > 0
local changed = false

local function enter(fields)
  version = version + 1
  changed = true
  circuit = fields
  circuit.version = version
  redis.call('DEL', key)
  local args = {}
  for name, value in pairs(circuit) do args[#args + 1] = name; args[#args + 1] = value end
  redis.call('HSET', key, unpack(args))
end

local function open(reason, causes)
  local trips = tonumber(circuit.trips or '0')
  local wait = math.min(ask.open_ms * ask.backoff ^ math.min(trips, 64), ask.max_ms)
  wait = math.floor(wait * (1 + ask.jitter * ask.draw))
  enter({state = 'open', ['until'] = now + wait, trips = trips + 1, reason = reason, causes = causes})
end

-- The store has forgotten what the sender knows: versions go on from there.
if ask.known > version then
  version = ask.known - 1
  enter({state = 'closed'})
  exists = true
  changed = false
end

local function leases()
  local live = 0
  for name, value in pairs(circuit) do
    if string.sub(name, 1, 6) == 'lease:' then
      if tonumber(value) > now then
        live = live + 1
      else
        redis.call('HDEL', key, name)
        circuit[name] = nil
      end
    end
  end
  return live
end

local state = circuit.state or 'closed'
local free = (circuit.override or '') == ''
local granted = 0

if ask.op == 'trip' then
  if free and state == 'closed' and ask.known == version then open(ask.reason, ask.causes) end
elseif ask.op == 'probe' and free then
  if state == 'open' and now >= tonumber(circuit['until']) then
    enter({
      state = 'half_open', trips = circuit.trips, reason = 'wait_over', causes = circuit.causes or '',
      ok = 0, failed = 0, slow = 0,
    })
  end
  if circuit.state == 'half_open' then
    local live = leases()
    local done = tonumber(circuit.ok) + tonumber(circuit.failed)
    for _, ticket in ipairs(ask.tickets) do
      if live < ask.at_once and done + live < ask.budget then
        redis.call('HSET', key, 'lease:' .. ticket, now + ask.lease_ms)
        live = live + 1
        granted = granted + 1
      end
    end
  end
elseif ask.op == 'result' and free and state == 'half_open' and ask.known == version then
  local lease = 'lease:' .. ask.ticket
  if circuit[lease] and tonumber(circuit[lease]) > now then
    redis.call('HDEL', key, lease)
    if ask.outcome ~= 'none' then
      local ok, failed, slow = tonumber(circuit.ok), tonumber(circuit.failed), tonumber(circuit.slow)
      if ask.outcome == 'ok' then ok = ok + 1 else failed = failed + 1 end
      if ask.slow then slow = slow + 1 end
      redis.call('HSET', key, 'ok', ok, 'failed', failed, 'slow', slow)
      if failed >= ask.failed_limit or slow >= ask.slow_limit then
        open('probe_failed', ask.causes ~= '' and ask.causes or circuit.causes or '')
      elseif ok + failed >= ask.budget then
        enter({state = 'closed', reason = 'probes_succeeded'})
      end
    end
  end
elseif ask.op == 'override' then
  enter({state = 'closed', override = ask.override, reason = 'operator'})
end

if (exists or changed) and redis.call('PTTL', key) < ask.ttl / 2 then redis.call('PEXPIRE', key, ask.ttl) end

return cjson.encode({
  version = version,
  state = circuit.state or 'closed',
  wait_ms = math.max(0, tonumber(circuit['until'] or '0') - now),
  trips = tonumber(circuit.trips or '0'),
  reason = circuit.reason or '',
  causes = circuit.causes or '',
  override = circuit.override or '',
  granted = granted,
  changed = changed,
})
