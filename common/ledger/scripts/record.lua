-- ARGV: id, run, how long the caller itself leases the report (ms, 0 for not at all), then check, outcome, kind, …
-- KEYS: 11 reports waiting, 12 reports leased, 13 leases. The first outcome of a check stays.
-- Returns {-1} stale, {0} others are missing, {1, reports waiting} all are in (so on every redelivery until the event
-- is decided): then the report is enqueued.
if not current(ARGV[2]) or get('state') ~= 'checking' then return {-1} end
for index = 4, #ARGV, 3 do
  if redis.call('HSETNX', event, 'o:' .. ARGV[index], ARGV[index + 1]) == 1 then
    redis.call('HINCRBY', event, 'done', 1)
    note('checked', ARGV[index] .. ' ' .. ARGV[index + 2])
  end
end
if tonumber(get('done')) < tonumber(get('planned')) then return {0} end
enqueue(tonumber(ARGV[3]))
return {1, redis.call('ZCARD', KEYS[11])}
