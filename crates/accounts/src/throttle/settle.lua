-- Takes back uses that `charge.lua` has counted, as far as they are still remembered, and remembers that a pair of
-- account and network has logged in.
--
-- KEYS: the counters, then the pair, where it has logged in.
-- ARGV: the number of counters; the slice of each in which it was counted; for the pair, how many milliseconds it is
-- remembered.

local counters = tonumber(ARGV[1])
for number = 1, counters do
  local key, slice = KEYS[number], ARGV[number + 1]
  local used = tonumber(redis.call('HGET', key, slice) or '0')
  if used > 1 then
    redis.call('HINCRBY', key, slice, -1)
  elseif used == 1 then
    redis.call('HDEL', key, slice)
  end
end
if KEYS[counters + 1] then
  redis.call('SET', KEYS[counters + 1], '1', 'PX', ARGV[counters + 2])
end
return 1
