-- ARGV: id, run, check. Counts an attempt, which survives redelivery.
-- Returns {attempts, record, snapshot}, or {0} when the run is stale, or the outcome is already in.
if not current(ARGV[2]) or get('state') ~= 'checking' then return {0} end
if redis.call('HEXISTS', event, 'o:' .. ARGV[3]) == 1 then return {0} end
local attempts = redis.call('HINCRBY', event, 'a:' .. ARGV[3], 1)
return {attempts, redis.call('HGETALL', event), redis.call('GET', KEYS[2])}
