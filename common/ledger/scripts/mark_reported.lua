-- Marks an event as reported: DataWorks accepted a verdict. Removes its report from the queue. The first accepted verdict
-- is kept, whichever run it belongs to.
-- ARGV: id, owner, how that is known, the accepted verdict. KEYS as in record_outcomes, and last the audit trail.
-- Returns 1, 0 if DataWorks was known to have accepted one, or -1 if the event is unknown.
local state = get('state')
if not state then return -1 end
if get('taken') then return 0 end
dequeue()
if state == 'dead' then audit(KEYS[#KEYS], ARGV[2], 'dead-answered', id, ARGV[3], '', '') end
redis.call('HSET', event, 'reported', now, 'taken', ARGV[4], 'taken_run', get('run'), 'taken_how', ARGV[3])
redis.call('HDEL', event, 'lease_owner', 'lease_ends', 'unverified')
redis.call('ZREM', KEYS[3], id)
move('reported')
note('reported', ARGV[3])
return 1
