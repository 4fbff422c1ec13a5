-- Marks an event that has not ended as dead or ignored. ARGV: id, state ('dead' or 'ignored'), reason,
-- how long to keep the event (ms). KEYS as in record_outcomes, then the indexes of the event. Returns 1 if the state changed.
local state = get('state')
if not state or state == 'reported' or state == 'dead' or state == 'ignored' then return 0 end
redis.call('HDEL', event, 'lease_owner', 'lease_ends')
dequeue()
redis.call('ZREM', KEYS[3], id)
move(ARGV[2])
note(ARGV[2], ARGV[3])
add_to_indexes(15, ARGV[4])
return 1
