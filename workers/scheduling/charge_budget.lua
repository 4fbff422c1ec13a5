-- Charges the budget of a workspace. The remaining lifetime of the key is the time until the budget is full again.
-- KEYS: 1 budget. ARGV: 1 lifetime to add (ms), 2 longest lifetime (ms).
local left = math.max(redis.call('PTTL', KEYS[1]), 0)
redis.call('SET', KEYS[1], '1', 'PX', math.min(left + ARGV[1], ARGV[2]))
