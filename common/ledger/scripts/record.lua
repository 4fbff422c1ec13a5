-- ARGV: id, run, then check, outcome, kind, … The first outcome of a check stays.
-- Returns -1 stale, 0 others are missing, 1 all are in (so on every redelivery until the event is decided).
if not current(ARGV[2]) or get('state') ~= 'checking' then return -1 end
for index = 3, #ARGV, 3 do
  if redis.call('HSETNX', event, 'o:' .. ARGV[index], ARGV[index + 1]) == 1 then
    redis.call('HINCRBY', event, 'done', 1)
    note('checked', ARGV[index] .. ' ' .. ARGV[index + 2])
  end
end
if tonumber(get('done')) >= tonumber(get('planned')) then return 1 end
return 0
