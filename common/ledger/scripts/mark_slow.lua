-- Marks checks without an outcome as moved to the slow queue. ARGV: id, run, reason, then checks.
-- Returns 0 if the run is stale or the event is not being checked.
if not current(ARGV[2]) or get('state') ~= 'checking' then return 0 end
for index = 4, #ARGV do
  if redis.call('HSETNX', event, 's:' .. ARGV[index], ARGV[3]) == 1 then
    note('slowed', ARGV[index] .. ' ' .. ARGV[3])
  end
end
return 1
