-- KEYS: 1 grants by when they were made (microseconds), 2 waiters by rank (class, deadline), 3 waiters by when
-- they last asked. ARGV: ticket, rank, grants a second.
-- Returns 0 when the ticket is granted, else the microseconds until a slot may be free for it.
local SECOND = 1000000
local grants, waiters, asked = KEYS[1], KEYS[2], KEYS[3]
local ticket = ARGV[1]
local clock = redis.call('TIME')
local now = clock[1] * SECOND + clock[2]

redis.call('ZREMRANGEBYSCORE', grants, '-inf', now - SECOND)
redis.call('ZREMRANGEBYSCORE', grants, now + 1, '+inf') -- else a clock that is set back would stop everybody
for _, silent in ipairs(redis.call('ZRANGEBYSCORE', asked, '-inf', now - SECOND)) do
  redis.call('ZREM', asked, silent)
  redis.call('ZREM', waiters, silent)
end

local free = ARGV[3] - redis.call('ZCARD', grants)
redis.call('ZADD', waiters, ARGV[2], ticket)
local ahead = redis.call('ZRANK', waiters, ticket)
if ahead < free then
  redis.call('ZREM', waiters, ticket)
  redis.call('ZREM', asked, ticket)
  redis.call('ZADD', grants, now, ticket)
  redis.call('PEXPIRE', grants, 2000)
  return 0
end
redis.call('ZADD', asked, now, ticket)
redis.call('PEXPIRE', asked, 2000)
redis.call('PEXPIRE', waiters, 2000)
local turn = redis.call('ZRANGE', grants, ahead - free, ahead - free, 'WITHSCORES')[2]
return turn and math.max(turn + SECOND - now, 1) or SECOND
