-- ARGV: id, owner, verdict, result, reason. Compare-and-set: the first verdict of a run is the verdict.
-- Marks the beginning of posting. Returns {verdict, 1 when posting had begun before}, or {} without the lease.
if get('lease_owner') ~= ARGV[2] then return {} end
if redis.call('HSETNX', event, 'verdict', ARGV[3]) == 1 then
  note('decided', ARGV[4] .. ' ' .. ARGV[5])
end
move('decided')
local begun = redis.call('HSETNX', event, 'posting', now) == 0 and 1 or 0
return {get('verdict'), begun}
