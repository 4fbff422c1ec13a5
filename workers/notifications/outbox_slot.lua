-- Counts a notification for a target. KEYS: 1 those of the window, 2 those that were left out.
-- ARGV: maximum in a window, duration of the window (ms), how long the number of those left out is kept (ms).
-- Returns {1, number left out so far}, or {0, 0} if it is to be left out.
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if count > tonumber(ARGV[1]) then
  redis.call('INCR', KEYS[2])
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
  return {0, 0}
end
local left_out = redis.call('GET', KEYS[2])
redis.call('DEL', KEYS[2])
return {1, tonumber(left_out or '0')}
