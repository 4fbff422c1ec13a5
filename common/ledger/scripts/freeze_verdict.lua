-- Freezes the verdict (the first verdict of a run is kept) and marks the start of posting.
-- A dead event stays dead until DataWorks has its verdict.
-- ARGV: id, owner, verdict, result, reason. Returns {verdict, 1 if posting was started before}, or {} without the lease.
if get('lease_owner') ~= ARGV[2] then return {} end
if redis.call('HSETNX', event, 'verdict', ARGV[3]) == 1 then
  note('decided', ARGV[4] .. ' ' .. ARGV[5])
end
if get('state') ~= 'dead' then move('decided') end
local started_before = redis.call('HSETNX', event, 'posting', now) == 0 and 1 or 0
return {get('verdict'), started_before}
