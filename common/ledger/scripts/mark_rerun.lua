-- Ends a run of an event for which DataWorks accepted a verdict in an earlier run: nothing is posted.
-- ARGV: id, owner, run, description of the result, 1 if it differs from the accepted one. KEYS as in mark_reported.
-- Returns 1, or 0 if the run is stale or has ended.
local state = get('state')
if not current(ARGV[3]) or state == 'reported' or state == 'ignored' then return 0 end
dequeue()
redis.call('HDEL', event, 'lease_owner', 'lease_ends')
redis.call('ZREM', KEYS[3], id)
move('reported')
note('rerun', ARGV[4])
if ARGV[5] == '1' then audit(KEYS[#KEYS], ARGV[2], 'rerun-differs', id, ARGV[4], '', '') end
return 1
