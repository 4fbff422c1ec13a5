-- Records that a worker process is up, and by how much its machine's clock is ahead. Drops the processes that are down.
-- KEYS: 1 heartbeats, 2 skews. ARGV: process, time without a heartbeat after which it counts as down (ms), skew (seconds).
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
local down = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2] / 1000)
for _, name in ipairs(down) do
  redis.call('ZREM', KEYS[1], name)
  redis.call('HDEL', KEYS[2], name)
end
