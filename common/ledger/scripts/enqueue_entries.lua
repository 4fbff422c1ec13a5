-- Enqueues entries of a queue by deadline; a leased one stays with its owner.
-- KEYS: 1 waiting entries, 2 leased entries, 3 idle owners. ARGV: entry, deadline (ms), ….
-- Returns the number of waiting entries that need a token.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for index = 1, #ARGV, 2 do
  if not redis.call('ZSCORE', KEYS[2], ARGV[index]) then redis.call('ZADD', KEYS[1], ARGV[index + 1], ARGV[index]) end
end
return math.max(redis.call('ZCARD', KEYS[1]) - redis.call('ZCOUNT', KEYS[3], now, '+inf'), 0)
