-- Acquires the report lease: one owner at a time may decide and post.
-- ARGV: id, run or '' for the current one, owner, lease (ms), how long another owner's lease is respected (ms), the same
-- for an owner whose lease may be lost (ms), token of the history, until when the caller waits (ms). KEYS: 11 the history.
-- Returns {1, record, token}, {0, ms until the other lease ends, token}, or {-1, 0, token} if there is nothing to report.
if not is_waiting(ARGV[8]) then return late() end
local token, began, history = read_history(KEYS[11], ARGV[7], now)
local state = get('state')
if not state or state == 'reported' or state == 'ignored' then return {-1, 0, token} end
if ARGV[2] ~= '' and not current(ARGV[2]) then return {-1, 0, token} end
-- The other lease is assumed to have the same duration, so this is its start plus the respected time.
local holder, ends = get('lease_owner'), tonumber(get('lease_ends') or '0') - ARGV[4] + ARGV[5]
if holder and holder ~= ARGV[3] and ends > now then return {0, ends - now, token} end
-- A reporter may be posting a verdict that Redis has lost, with its lease. No other process decides until it must have ended.
if history == 'later' and not get('verdict') and not get('taken') and arrived() < began then
  ends = began + math.max(ARGV[5], ARGV[6])
  if ends > now then return {0, ends - now, token} end
end
redis.call('HSET', event, 'lease_owner', ARGV[3], 'lease_ends', now + ARGV[4])
return {1, redis.call('HGETALL', event), token}
