-- Acquires the report lease: one owner at a time may decide and post.
-- ARGV: id, run or '' for the current one, owner, lease (ms), how long another owner's lease is respected (ms),
-- until when the caller waits (ms).
-- Returns {1, record}, {0, ms until the other lease ends}, or {-1} if there is nothing to report.
if not is_waiting(ARGV[6]) then return late() end
local state = get('state')
if not state or state == 'reported' or state == 'ignored' then return {-1} end
if ARGV[2] ~= '' and not current(ARGV[2]) then return {-1} end
-- The other lease is assumed to have the same duration, so this is its start plus the respected time.
local holder, ends = get('lease_owner'), tonumber(get('lease_ends') or '0') - ARGV[4] + ARGV[5]
if holder and holder ~= ARGV[3] and ends > now then return {0, ends - now} end
redis.call('HSET', event, 'lease_owner', ARGV[3], 'lease_ends', now + ARGV[4])
return {1, redis.call('HGETALL', event)}
