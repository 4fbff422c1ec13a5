-- Leases an entry of a queue. KEYS and ARGV as `lease_entry`; ARGV 6: until when the caller waits (ms).
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
-- A server that stood still executes commands whose callers no longer wait.
if now > tonumber(ARGV[6]) then return redis.error_reply('LATE the caller no longer waits') end
return lease_entry(KEYS, ARGV, now)
