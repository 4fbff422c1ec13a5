-- Adds a notification once. KEYS: 1 its key, 2 the waiting entries. ARGV: entry, how long the key is remembered (ms),
-- maximum number of waiting entries. Returns 1 if it was added, 0 if its key is known, -1 if too many wait.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then return -1 end
local clock = redis.call('TIME')
redis.call('SET', KEYS[1], '', 'PX', ARGV[2])
redis.call('ZADD', KEYS[2], clock[1] * 1000 + math.floor(clock[2] / 1000), ARGV[1])
return 1
