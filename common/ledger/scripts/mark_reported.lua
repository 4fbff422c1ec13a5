-- Marks an event as reported: DataWorks has the verdict. Removes its report from the queue.
-- ARGV: id, owner, how that is known. KEYS as in record_outcomes, and last the audit trail.
dequeue()
if get('state') == 'reported' then return 0 end
if get('state') == 'dead' then audit(KEYS[#KEYS], ARGV[2], 'dead-answered', id, ARGV[3], '', '') end
redis.call('HSET', event, 'reported', now)
if not get('taken') then redis.call('HSET', event, 'taken', get('verdict')) end
redis.call('HDEL', event, 'lease_owner', 'lease_ends')
redis.call('ZREM', KEYS[3], id)
move('reported')
note('reported', ARGV[3])
return 1
