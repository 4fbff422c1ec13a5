-- Returns tasks of a spool that may be taken, oldest first, and leases them.
-- KEYS: 1 tasks by the time from which they may be taken (ms). ARGV: 1 maximum number, 2 length of the lease (ms).
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local tasks = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, task in ipairs(tasks) do redis.call('ZADD', KEYS[1], now + ARGV[2], task) end
return tasks
