-- Grants the slots of one quota: a sliding window whose grants are paced and ordered by class and deadline.
--
-- KEYS
--   1 grants     granted calls, scored by the time at which they may have arrived
--   2 waiters    waiting tickets, scored by rank (class, then deadline)
--   3 requests   waiting tickets, scored by their latest request
--   4 calls      calls in progress, scored by the time of their grant
-- ARGV
--   1 ticket     empty: only report finished calls
--   2 rank
--   3 limit      grants per window
--   4 window
--   5 pace       minimum distance between two grants under load
--   6 remaining  time until the caller's deadline
--   7 ...        pairs: ticket of a finished call, and how late it may have arrived (not late if <= 0)
-- Returns {1, delay before the call} if a slot is granted, else {0, delay before the next request}.
-- All times and durations are microseconds, by the clock of the Redis server.
local SECOND = 1000000
local MAX_AHEAD = SECOND / 20 -- a grant may lie this far in the future: it saves the next in line a round trip
local CALL_TTL = 10 * SECOND -- a call in progress for longer belongs to a process that died
local grants, waiters, requests, calls = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ticket, limit, window, pace = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local clock = redis.call('TIME')
local now = clock[1] * SECOND + clock[2]

-- Finished calls: move the grant of a late one to when it may have arrived, which is before its end. A caller counts
-- a slow reply of Redis as part of the call; a grant in the future would be dropped below and free its slot.
for index = 7, #ARGV, 2 do
  local granted = redis.call('ZSCORE', calls, ARGV[index])
  redis.call('ZREM', calls, ARGV[index])
  if granted and tonumber(ARGV[index + 1]) > 0 then
    redis.call('ZADD', grants, math.min(granted + ARGV[index + 1], now), ARGV[index])
    redis.call('PEXPIRE', grants, 2000)
  end
end
if ticket == '' then return {0, 0} end

-- Drop what has expired. Entries of the future remain after the clock was set back, and would block every call.
redis.call('ZREMRANGEBYSCORE', grants, '-inf', now - window)
redis.call('ZREMRANGEBYSCORE', grants, now + MAX_AHEAD + 1, '+inf')
redis.call('ZREMRANGEBYSCORE', calls, '-inf', now - CALL_TTL)
redis.call('ZREMRANGEBYSCORE', calls, now + MAX_AHEAD + 1, '+inf')
for _, silent in ipairs(redis.call('ZRANGEBYSCORE', requests, '-inf', now - SECOND)) do
  redis.call('ZREM', requests, silent)
  redis.call('ZREM', waiters, silent)
end

-- A call in progress counts even if its grant has left the window: it may arrive only now. Calls of an operation that
-- hangs stay in progress for seconds: together they count as at most half of the limit, the rest is for the others.
local late = math.min(redis.call('ZCOUNT', calls, '-inf', now - window), math.ceil(limit / 2))
local used = redis.call('ZCARD', grants) + late
local free = limit - used
redis.call('ZADD', waiters, ARGV[2], ticket)
local ahead = redis.call('ZRANK', waiters, ticket)
-- The first tenth of a window is granted at once, the rest at the pace.
local last = used * 10 >= limit and redis.call('ZRANGE', grants, -1, -1, 'WITHSCORES')[2]
local due = last and math.floor((now - last) / pace) or free

local function grant(at)
  redis.call('ZREM', waiters, ticket)
  redis.call('ZREM', requests, ticket)
  redis.call('ZADD', grants, at, ticket)
  redis.call('PEXPIRE', grants, 2000)
  redis.call('ZADD', calls, at, ticket)
  redis.call('PEXPIRE', calls, 10000)
  return {1, at - now}
end

if ahead < math.min(free, due) then return grant(now) end

-- Estimate when this ticket's slot becomes free; `certain` if no call in progress can postpone it.
local turn, certain = last and last + pace * (ahead + 1) or now + 1, true
if ahead >= free then
  local leaving = redis.call('ZRANGE', grants, 0, ahead - free, 'WITHSCORES')
  local last_leaves = leaving[2 * (ahead - free + 1)]
  certain = last_leaves
  for index = 1, ahead == 0 and #leaving or 0, 2 do
    certain = certain and not redis.call('ZSCORE', calls, leaving[index])
  end
  turn = last_leaves and math.max(turn, last_leaves + window) or now + SECOND
end
turn = math.max(math.ceil(turn), now + 1)
if ahead == 0 and certain and turn - now <= math.min(MAX_AHEAD, tonumber(ARGV[6])) then return grant(turn) end
redis.call('ZADD', requests, now, ticket)
redis.call('PEXPIRE', requests, 2000)
redis.call('PEXPIRE', waiters, 2000)
return {0, turn - now}
