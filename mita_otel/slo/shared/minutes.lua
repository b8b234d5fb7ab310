-- Adds what a process has counted in some minutes to what all have; the same twice is the same as once.
--
-- KEYS: hours, each a hash with
--   all        how many of its minutes were watched, and the counts of all of them
--   0 .. 59    how many processes have told of this minute, and their counts
--   @process   the last minute that it told of, when, whether it was its last word, and the counts that it told
-- ARGV[1]: JSON with `me` (a field), `now` (s), `left` (0 or 1), `kept` (s after its beginning that an hour goes), and
--   `hours`: for each key when it began (s), and [minute, counts] from the oldest to the latest.
-- Counts are `name:good:bad`, divided by spaces. Counts that are smaller than they were are taken as what they were.
-- Returns, for each key, the last minute that was known of the process before; -1 for none.
local ask = cjson.decode(ARGV[1])

local function read(text)
  local order, good, bad = {}, {}, {}
  for name, g, b in string.gmatch(text, '(%S+):(%d+):(%d+)') do
    order[#order + 1] = name
    good[name], bad[name] = tonumber(g), tonumber(b)
  end
  return {order = order, good = good, bad = bad}
end

local function write(counts)
  local words = {}
  for i, name in ipairs(counts.order) do
    words[i] = string.format('%s:%.0f:%.0f', name, counts.good[name], counts.bad[name])
  end
  return table.concat(words, ' ')
end

local function grow(counts, name, good, bad)
  if not counts.good[name] then
    counts.order[#counts.order + 1] = name
    counts.good[name], counts.bad[name] = 0, 0
  end
  counts.good[name] = counts.good[name] + good
  counts.bad[name] = counts.bad[name] + bad
end

local function kept(key, field)
  local number, text = string.match(redis.call('HGET', key, field) or '', '^(%d+)(.*)$')
  return tonumber(number or '0'), read(text or ''), number ~= nil
end

local function put(key, field, number, counts)
  redis.call('HSET', key, field, string.format('%.0f %s', number, write(counts)))
end

local answer = {}
for n, key in ipairs(KEYS) do
  local hour = ask.hours[n]
  local at, mine = -1, read('')
  local last, text = string.match(redis.call('HGET', key, ask.me) or '', '^(%d+) %d+ %d ?(.*)$')
  if last then at, mine = tonumber(last), read(text) end
  answer[n] = at
  local watched, all = kept(key, 'all')
  for _, told in ipairs(hour.minutes) do
    local minute, new = told[1], read(told[2])
    if minute >= at then
      local processes, counts, exists = kept(key, minute)
      if minute > at then mine, processes = read(''), processes + 1 end
      if not exists then watched = watched + 1 end
      for _, name in ipairs(new.order) do
        local good = math.max(new.good[name] - (mine.good[name] or 0), 0)
        local bad = math.max(new.bad[name] - (mine.bad[name] or 0), 0)
        grow(counts, name, good, bad)
        grow(all, name, good, bad)
        grow(mine, name, good, bad)
      end
      put(key, minute, processes, counts)
      at = minute
    end
  end
  put(key, 'all', watched, all)
  redis.call('HSET', key, ask.me, string.format('%d %.0f %d %s', at, ask.now, ask.left, write(mine)))
  redis.call('EXPIREAT', key, string.format('%.0f', hour.began + ask.kept))
end
return answer
