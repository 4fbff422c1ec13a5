-- Marks an event as reported: DataWorks accepted a verdict. Removes its report from the queue. The first accepted verdict
-- is kept, whichever run it belongs to.
-- ARGV: id, owner, how that is known, the accepted verdict, how long to keep the event (ms), how long to keep the counts
-- of its day (ms), maximum number of counters of a day, name of the counter for the others, then the counters to raise.
-- KEYS as in record_outcomes, then 15 the audit trail, 16 the counts of the day, and the indexes of the event.
-- Returns 1, 0 if DataWorks was known to have accepted one, or -1 if the event is unknown.
local state = get('state')
if not state then return -1 end
if get('taken') then return 0 end
dequeue()
if state == 'dead' then audit(KEYS[15], ARGV[2], 'dead-answered', id, ARGV[3], '', '') end
redis.call('HSET', event, 'reported', now, 'taken', ARGV[4], 'taken_run', get('run'), 'taken_how', ARGV[3])
redis.call('HDEL', event, 'lease_owner', 'lease_ends', 'unverified')
redis.call('ZREM', KEYS[3], id)
move('reported')
note('reported', ARGV[3])
add_to_indexes(17, ARGV[5])
if #ARGV > 8 then
  local counters = redis.call('HLEN', KEYS[16])
  for index = 9, #ARGV do
    local counter = ARGV[index]
    if counters >= tonumber(ARGV[7]) and redis.call('HEXISTS', KEYS[16], counter) == 0 then counter = ARGV[8] end
    if redis.call('HINCRBY', KEYS[16], counter, 1) == 1 then counters = counters + 1 end
  end
  redis.call('PEXPIRE', KEYS[16], ARGV[6])
end
return 1
