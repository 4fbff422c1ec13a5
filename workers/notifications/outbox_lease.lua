-- Leases entries that are due. KEYS: 1 the waiting entries, by the time from which they are due (ms).
-- ARGV: maximum number, duration of the lease (ms). Returns the entries.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, entry in ipairs(due) do redis.call('ZADD', KEYS[1], now + ARGV[2], entry) end
return due
