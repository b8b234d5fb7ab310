-- Leaves of hours that are long over nothing but their sums. KEYS: the hours.
for _, key in ipairs(KEYS) do
  if redis.call('HLEN', key) > 1 then
    local all, left = redis.call('HGET', key, 'all'), redis.call('PTTL', key)
    redis.call('DEL', key)
    if all and left > 0 then
      redis.call('HSET', key, 'all', all)
      redis.call('PEXPIRE', key, left)
    end
  end
end
