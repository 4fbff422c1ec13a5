-- Ends a run of an event for which DataWorks accepted a verdict in an earlier run: nothing is posted.
-- ARGV: id, owner, run, description of the result, 1 if it differs from the accepted one, how long to keep
-- the event (ms). KEYS as in record_outcomes, then 15 the audit trail, and the indexes of the event.
-- Returns 1, or 0 if the run is stale or has ended.
local state = get('state')
if not current(ARGV[3]) or state == 'reported' or state == 'ignored' then return 0 end
dequeue()
redis.call('HDEL', event, 'lease_owner', 'lease_ends')
redis.call('ZREM', KEYS[3], id)
move('reported')
note('rerun', ARGV[4])
add_to_indexes(16, ARGV[6])
if ARGV[5] == '1' then audit(KEYS[15], ARGV[2], 'rerun-differs', id, ARGV[4], '', '') end
return 1
