-- Takes back a login that `charge.lua` has counted, as far as that is still remembered, and remembers that a pair of account
-- and network has logged in. A second call for the same login changes nothing; one that comes before the login is counted
-- makes that it is not.
--
-- KEYS: the counters of the login and its record, where it is taken back; the pair, where it has logged in.
-- ARGV: the number of counters, 0 where nothing is taken back; for the pair, how many milliseconds it is remembered.

-- For how long a login that is settled is known to be, in milliseconds: longer than a call is under way.
local SETTLED = 60 * 1000

local counters = tonumber(ARGV[1])
local record = counters > 0 and KEYS[counters + 1]
if record and redis.call('HSETNX', record, 'settled', 1) == 1 then
  redis.call('PEXPIRE', record, SETTLED)
  for number = 1, counters do
    local key, slice = KEYS[number], redis.call('HGET', record, number)
    local used = tonumber(slice and redis.call('HGET', key, slice) or '0')
    if used > 1 then
      redis.call('HINCRBY', key, slice, -1)
    elseif used == 1 then
      redis.call('HDEL', key, slice)
    end
  end
end
if ARGV[2] then
  redis.call('SET', KEYS[#KEYS], '1', 'PX', ARGV[2])
end
return 1
