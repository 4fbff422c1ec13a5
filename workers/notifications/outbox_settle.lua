-- Replaces an entry by what is left of it. KEYS: 1 the waiting entries. ARGV: entry, the rest, after how long it is due (ms).
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
local clock = redis.call('TIME')
redis.call('ZADD', KEYS[1], clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[3], ARGV[2])
return 1
