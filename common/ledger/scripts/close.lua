-- ARGV: id, state ('dead' or 'ignored'), why. KEYS as in record. Ends an event unless it is unknown or has ended.
-- Returns 1 when it did.
local state = get('state')
if not state or state == 'reported' or state == 'dead' or state == 'ignored' then return 0 end
redis.call('HDEL', event, 'lease_owner', 'lease_ends')
dequeue()
redis.call('ZREM', KEYS[3], id)
move(ARGV[2])
note(ARGV[2], ARGV[3])
return 1
