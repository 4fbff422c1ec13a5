-- ARGV: id, run, turn or '', its rank, how many to call at once, then check, outcome, kind, …
-- KEYS[11]: verdicts that wait, KEYS[12]: the bell. The first outcome of a check stays.
-- Returns -1 stale, 0 others are missing, 1 all are in (so on every redelivery until the event is decided): then the
-- turn is lined up, and a reporter called.
if not current(ARGV[2]) or get('state') ~= 'checking' then return -1 end
for index = 6, #ARGV, 3 do
  if redis.call('HSETNX', event, 'o:' .. ARGV[index], ARGV[index + 1]) == 1 then
    redis.call('HINCRBY', event, 'done', 1)
    note('checked', ARGV[index] .. ' ' .. ARGV[index + 2])
  end
end
if tonumber(get('done')) < tonumber(get('planned')) then return 0 end
if ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[11], ARGV[4], ARGV[3])
  redis.call('RPUSH', KEYS[12], 1)
  redis.call('LTRIM', KEYS[12], 0, ARGV[5] - 1)
end
return 1
