-- Returns a leased report to the queue with a delay, unless it was removed meanwhile.
-- KEYS: 1 leased reports, 2 leases. ARGV: report, delay until it can be leased again (ms), attempts so far.
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
-- Keeps the attempts, but without an owner.
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3] .. ' ')
return 1
