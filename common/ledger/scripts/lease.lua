-- Leases one report: the owner's own, else one with an expired lease, else the one with the earliest deadline.
-- KEYS: 1 waiting reports by deadline, 2 leased reports by the end of their lease, 3 leases (report: attempts, owner),
-- 4 idle owners by the time by which they call again, 5 activity.
-- ARGV: owner, lease (ms), 1 if the owner may have leased a report before and been killed, time in which it calls again if
-- there is no report (ms, 0 for never), maximum number of idle owners, until when the owner waits for the
-- reply (ms).
-- Returns {report, attempts, 1 if the owner leased it before}. If there is none, returns {number of idle owners}: each
-- calls again within that multiple of its time, so that their number does not raise the rate of calls. Else returns {}.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
-- A server that stood still executes commands whose callers no longer wait.
if now > tonumber(ARGV[6]) then return redis.error_reply('LATE the caller no longer waits') end
redis.call('HSET', KEYS[5], 'leased', now)
redis.call('ZREM', KEYS[4], ARGV[1])

local function attempts(report)
  return tonumber(string.match(redis.call('HGET', KEYS[3], report) or '', '^%d+') or 0)
end

local function lease(report, own)
  local count = attempts(report) + 1
  redis.call('HSET', KEYS[3], report, count .. ' ' .. ARGV[1])
  redis.call('ZADD', KEYS[2], now + ARGV[2], report)
  return {report, count, own}
end

if ARGV[3] == '1' then
  local leases = redis.call('HGETALL', KEYS[3])
  for index = 1, #leases, 2 do
    if string.match(leases[index + 1], '^%d+ (.*)$') == ARGV[1] then return lease(leases[index], 1) end
  end
end
-- An expired lease: the reporter died, or the delay of a retry is over.
local ended = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 1)
if #ended == 1 then return lease(ended[1], 0) end
local nearest = redis.call('ZPOPMIN', KEYS[1])
if #nearest > 0 then return lease(nearest[1], 0) end
if ARGV[4] == '0' then return {} end
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
local idle = redis.call('ZCARD', KEYS[4]) + 1
if idle > tonumber(ARGV[5]) then return {} end
redis.call('ZADD', KEYS[4], now + idle * ARGV[4], ARGV[1])
return {idle}
