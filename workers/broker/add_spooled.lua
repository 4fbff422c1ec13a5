-- Adds a task to a spool unless it is there. KEYS: 1 tasks by the time from which they may be taken (ms).
-- ARGV: 1 task, 2 delay (ms), 3 how long the spool is kept (ms).
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZADD', KEYS[1], 'NX', now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
