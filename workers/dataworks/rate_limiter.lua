-- KEYS: 1 grants by when they were made (microseconds), 2 waiters by rank (class, deadline), 3 waiters by when
-- they last asked, 4 calls under way by when they were granted. ARGV: ticket, rank, grants a window, the window, the
-- pace, and how long the asker has, in microseconds; then of calls that ended: ticket, and by how many microseconds
-- it was late. Without a ticket of its own it only tells of those.
-- Returns {1, microseconds to sleep before the call} when the ticket is granted, else {0, microseconds until to ask again}.
local SECOND = 1000000
local SOON = SECOND / 20 -- who is next is told when to go, and need not come back to ask
local FORGOTTEN = 10 * SECOND -- whoever made such a call died
local grants, waiters, asked, calls = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ticket, most, window, pace = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local clock = redis.call('TIME')
local now = clock[1] * SECOND + clock[2]

for index = 7, #ARGV, 2 do
  local granted = redis.call('ZSCORE', calls, ARGV[index])
  redis.call('ZREM', calls, ARGV[index])
  if granted and tonumber(ARGV[index + 1]) > 0 then
    redis.call('ZADD', grants, granted + ARGV[index + 1], ARGV[index])
    redis.call('PEXPIRE', grants, 2000)
  end
end
if ticket == '' then return {0, 0} end

redis.call('ZREMRANGEBYSCORE', grants, '-inf', now - window)
redis.call('ZREMRANGEBYSCORE', grants, now + SOON + 1, '+inf') -- else a clock that is set back would stop everybody
for _, silent in ipairs(redis.call('ZRANGEBYSCORE', asked, '-inf', now - SECOND)) do
  redis.call('ZREM', asked, silent)
  redis.call('ZREM', waiters, silent)
end

redis.call('ZREMRANGEBYSCORE', calls, '-inf', now - FORGOTTEN)
redis.call('ZREMRANGEBYSCORE', calls, now + SOON + 1, '+inf')
-- A call that is under way still may arrive only now, however long ago it was granted.
local used = redis.call('ZCARD', grants) + redis.call('ZCOUNT', calls, '-inf', now - window)
local free = most - used
redis.call('ZADD', waiters, ARGV[2], ticket)
local ahead = redis.call('ZRANK', waiters, ticket)
-- A fleet at rest gets a tenth of the window at once, the rest one by one.
local last = used * 10 >= most and redis.call('ZRANGE', grants, -1, -1, 'WITHSCORES')[2]
local due = last and math.floor((now - last) / pace) or free

local function grant(at)
  redis.call('ZREM', waiters, ticket)
  redis.call('ZREM', asked, ticket)
  redis.call('ZADD', grants, at, ticket)
  redis.call('PEXPIRE', grants, 2000)
  redis.call('ZADD', calls, at, ticket)
  redis.call('PEXPIRE', calls, 10000)
  return {1, at - now}
end

if ahead < math.min(free, due) then return grant(now) end
local turn, known = last and last + pace * (ahead + 1) or now + 1, true
if ahead >= free then
  local leaving = redis.call('ZRANGE', grants, 0, ahead - free, 'WITHSCORES')
  local last_leaves = leaving[2 * (ahead - free + 1)]
  known = last_leaves
  -- One that is under way may not have arrived by then.
  for index = 1, ahead == 0 and #leaving or 0, 2 do
    known = known and not redis.call('ZSCORE', calls, leaving[index])
  end
  turn = last_leaves and math.max(turn, last_leaves + window) or now + SECOND
end
turn = math.max(math.ceil(turn), now + 1)
if ahead == 0 and known and turn - now <= math.min(SOON, tonumber(ARGV[6])) then return grant(turn) end
redis.call('ZADD', asked, now, ticket)
redis.call('PEXPIRE', asked, 2000)
redis.call('PEXPIRE', waiters, 2000)
return {0, turn - now}
