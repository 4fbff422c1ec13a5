-- Prepended to the scripts that lease from a queue. Leases one entry: the owner's own, else one with an expired lease, else
-- the one with the earliest deadline.
-- keys: 1 waiting entries by deadline, 2 leased entries by the end of their lease, 3 leases (entry: attempts, owner),
-- 4 idle owners by the time by which they call again, 5 activity.
-- arguments: owner, lease (ms), 1 if the owner may have leased an entry before and been killed, time in which it calls
-- again if there is no entry (ms, 0 for never), maximum number of idle owners.
-- Returns {entry, attempts, 1 if the owner leased it before}. If there is none, returns {number of idle owners}: each
-- calls again within that multiple of its time, so that their number does not raise the rate of calls. Else returns {}.
local function lease_entry(keys, arguments, now)
  local owner, duration, is_redelivery, idle_time, max_idle = unpack(arguments)
  redis.call('HSET', keys[5], 'leased', now)
  redis.call('ZREM', keys[4], owner)

  local function lease(entry, own)
    local count = tonumber(string.match(redis.call('HGET', keys[3], entry) or '', '^%d+') or 0) + 1
    redis.call('HSET', keys[3], entry, count .. ' ' .. owner)
    redis.call('ZADD', keys[2], now + duration, entry)
    return {entry, count, own}
  end

  if is_redelivery == '1' then
    local leases = redis.call('HGETALL', keys[3])
    for index = 1, #leases, 2 do
      if string.match(leases[index + 1], '^%d+ (.*)$') == owner then return lease(leases[index], 1) end
    end
  end
  -- An expired lease: the owner died, or the delay of a retry is over.
  local ended = redis.call('ZRANGEBYSCORE', keys[2], '-inf', now, 'LIMIT', 0, 1)
  if #ended == 1 then return lease(ended[1], 0) end
  local nearest = redis.call('ZPOPMIN', keys[1])
  if #nearest > 0 then return lease(nearest[1], 0) end
  if idle_time == '0' then return {} end
  redis.call('ZREMRANGEBYSCORE', keys[4], '-inf', now)
  local idle = redis.call('ZCARD', keys[4]) + 1
  if idle > tonumber(max_idle) then return {} end
  redis.call('ZADD', keys[4], now + idle * idle_time, owner)
  return {idle}
end
