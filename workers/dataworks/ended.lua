-- KEYS: 1 grants by when they were made (microseconds), 2 calls under way by the same. ARGV: ticket, by how many
-- microseconds the call was late.
local granted = redis.call('ZSCORE', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
if granted and tonumber(ARGV[2]) > 0 then
  redis.call('ZADD', KEYS[1], granted + ARGV[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], 2000)
end
