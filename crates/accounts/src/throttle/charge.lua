-- Counts one use against several limits, all of them or none, as `throttle.rs` does it in the memory of one node.
--
-- KEYS: a counter for each limit, then, for logins, the pair of account and network, which is there if it has logged in
-- before, and the record of this login, where `settle.lua` finds what was counted.
-- ARGV: the number of counters; '1' if the pair is known to have logged in; then for each counter the length of a slice
-- of its window in microseconds, the limit, and what that means:
--   'limit'  so many uses, and no more;
--   'watch'  never refused; from so many on, the account is under attack;
--   'guard'  the same as 'limit', but one alone while the account is under attack, unless the pair is known.
--
-- Returns {1, whether the pair is known, then for each counter: the uses before this one, the limit, microseconds until a
-- use is forgotten}, or {0, the number of the counter that refuses, its limit, microseconds until it does not, whether this
-- is the first refusal since the last use}; nothing where the login is settled already.

-- The slices that are counted: those of a window, and the one that has only begun.
local RING = 16

-- For how long a login may yet be taken back, in milliseconds: at default settings, as long as it counts for its network.
local OPEN = 15 * 60 * 1000

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local counters = tonumber(ARGV[1])
local known = ARGV[2] == '1'
local pair = KEYS[counters + 1]
local record = KEYS[counters + 2]
-- The call has waited in a connection that its node has given up since.
if record and redis.call('HGET', record, 'settled') then
  return {}
end
if pair and not known then
  known = redis.call('EXISTS', pair) == 1
end

-- The clock may be set back: slices of a time to come count as well, but none of one that is further away than the window is
-- long. It would count, and be kept by each use, until then.
local function read(key, newest)
  local used, slices = 0, {}
  local fields = redis.call('HGETALL', key)
  for place = 1, #fields, 2 do
    local slice = tonumber(fields[place])
    if slice and slice > newest - RING and slice < newest + RING then
      local uses = tonumber(fields[place + 1])
      used = used + uses
      slices[#slices + 1] = { slice = slice, uses = uses }
    elseif slice then
      redis.call('HDEL', key, fields[place])
    end
  end
  table.sort(slices, function(one, other) return one.slice < other.slice end)
  return used, slices
end

-- Microseconds until so many of the uses are forgotten.
local function frees(count, newest, slices, length)
  local last = newest
  for _, one in ipairs(slices) do
    last = one.slice
    count = count - one.uses
    if count <= 0 then
      break
    end
  end
  return math.max((last + RING) * length - now, 1)
end

local function keep(key, length)
  redis.call('PEXPIRE', key, math.ceil((RING + 1) * length / 1000))
end

local under_attack = false
local uses = {}
for number = 1, counters do
  local key = KEYS[number]
  local length, limit, rule = tonumber(ARGV[3 * number]), tonumber(ARGV[3 * number + 1]), ARGV[3 * number + 2]
  local newest = math.floor(now / length)
  local used, slices = read(key, newest)
  if rule == 'watch' then
    under_attack = used >= limit
  else
    if rule == 'guard' and under_attack and not known then
      limit = math.min(limit, 1)
    end
    if used >= limit then
      local first = redis.call('HSETNX', key, 'refused', 1)
      keep(key, length)
      return { 0, number, limit, frees(used - limit + 1, newest, slices, length), first }
    end
  end
  uses[number] = { key = key, length = length, limit = limit, newest = newest, used = used, slices = slices }
end

local counted = { 1, known and 1 or 0 }
for number, use in ipairs(uses) do
  -- Lua would write a large number with an exponent.
  local slice = string.format('%.0f', use.newest)
  redis.call('HINCRBY', use.key, slice, 1)
  if record then
    redis.call('HSET', record, number, slice)
    redis.call('PEXPIRE', record, OPEN)
  end
  redis.call('HDEL', use.key, 'refused')
  keep(use.key, use.length)
  for _, figure in ipairs({ use.used, use.limit, frees(1, use.newest, use.slices, use.length) }) do
    counted[#counted + 1] = figure
  end
end
return counted
