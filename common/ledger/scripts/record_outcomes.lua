-- Records outcomes; the first outcome of a check is kept. When all are in, enqueues the report in the same step, so that
-- no complete event can be without one. The caller may lease it at once, and with it the event.
-- ARGV: id, run, until when the caller waits (ms), duration of its lease of the report (ms, 0 for no lease), owner of its
-- lease of the event, its duration (ms), how long such a lease is respected that may be lost (ms), token of the history,
-- then check, outcome, kind, ….
-- KEYS: 11 waiting reports, 12 leased reports, 13 leases, 14 idle reporters, 15 the history for a caller that leases.
-- Returns {-1} if the run is stale, {0} if outcomes are missing, else {1, number of reports that need a token}, and what
-- `acquire_report_lease` returns if the caller leases it; the latter also on redelivery until the event is decided.
if not current(ARGV[2]) or get('state') ~= 'checking' then return {-1} end
for index = 9, #ARGV, 3 do
  if redis.call('HSETNX', event, 'o:' .. ARGV[index], ARGV[index + 1]) == 1 then
    redis.call('HINCRBY', event, 'done', 1)
    note('checked', ARGV[index] .. ' ' .. ARGV[index + 2])
  end
end
if tonumber(get('done')) < tonumber(get('planned')) then return {0} end
local report_lease = is_waiting(ARGV[3]) and tonumber(ARGV[4]) or 0
enqueue(report_lease)
if report_lease == 0 then return {1, waiting()} end
local lease, lost = tonumber(ARGV[6]), tonumber(ARGV[7])
return {1, waiting(), acquire_report_lease(ARGV[2], ARGV[5], lease, lease, lost, KEYS[15], ARGV[8])}
