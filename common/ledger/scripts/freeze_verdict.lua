-- Freezes the verdict (the first verdict of a run is kept) and marks the start of posting.
-- A dead event stays dead until DataWorks has its verdict.
-- ARGV: id, owner, verdict, result, reason, tolerance of the clocks (ms), token of the history. KEYS: 11 the history.
-- Returns {token, verdict, 1 if DataWorks may have accepted a verdict, 1 if that may have been another one}, or {token}
-- without the lease.
local token, began, history = read_history(KEYS[11], ARGV[7], now)
if get('lease_owner') ~= ARGV[2] then return {token} end
local is_older = arrived() < began + (history == 'later' and ARGV[6] or 0)
if redis.call('HSETNX', event, 'verdict', ARGV[3]) == 1 then
  note('decided', ARGV[4] .. ' ' .. ARGV[5])
  -- An earlier verdict may have been lost after it was posted.
  if is_older and history ~= 'first' then redis.call('HSET', event, 'unverified', 1) end
end
if get('state') ~= 'dead' then move('decided') end
local started_before = redis.call('HSETNX', event, 'posting', now) == 0
return {token, get('verdict'), (started_before or is_older) and 1 or 0, get('unverified') and 1 or 0}
