-- Records outcomes; the first outcome of a check is kept. When all are in, enqueues the report in the same step, so that
-- no complete event can be without one.
-- ARGV: id, run, duration of the caller's lease of the report (ms, 0 for no lease), until when the
-- caller waits (ms), then check, outcome, kind, ….
-- KEYS: 11 waiting reports, 12 leased reports, 13 leases, 14 idle reporters.
-- Returns {-1} if the run is stale, {0} if outcomes are missing, else {1, number of reports that need a token}; the latter
-- also on redelivery until the event is decided.
if not current(ARGV[2]) or get('state') ~= 'checking' then return {-1} end
for index = 5, #ARGV, 3 do
  if redis.call('HSETNX', event, 'o:' .. ARGV[index], ARGV[index + 1]) == 1 then
    redis.call('HINCRBY', event, 'done', 1)
    note('checked', ARGV[index] .. ' ' .. ARGV[index + 2])
  end
end
if tonumber(get('done')) < tonumber(get('planned')) then return {0} end
enqueue(is_waiting(ARGV[4]) and tonumber(ARGV[3]) or 0)
return {1, waiting()}
