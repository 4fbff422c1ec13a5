-- KEYS: 1 reports leased, 2 leases. ARGV: report, seconds until it can be leased again (ms), attempts so far.
-- Gives a leased report back; one that left the queue meanwhile stays out of it.
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3] .. ' ')
return 1
