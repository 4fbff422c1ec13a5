-- ARGV: id, deadline, watch. KEYS as in record. A requeue: a new run of the stored event.
-- A verdict that may have been taken stays frozen; one known to be taken is kept as `taken`.
-- Returns the new run, or 0 when the event is still on its way, or -1 when it is not known.
local state = get('state')
if not state then return -1 end
if state ~= 'reported' and state ~= 'dead' then return 0 end
dequeue()
for _, field in ipairs(redis.call('HKEYS', event)) do
  local head = string.sub(field, 1, 2)
  if head == 'o:' or head == 'a:' then redis.call('HDEL', event, field) end
end
redis.call('HDEL', event, 'plan', 'planned', 'lease_owner', 'lease_ends')
redis.call('HSET', event, 'done', 0, 'deadline', ARGV[2], 'watch', ARGV[3], 'deliveries', 0)
local run = redis.call('HINCRBY', event, 'run', 1)
local ambiguous = get('posting') and not get('reported')
if ambiguous then
  move('decided')
else
  redis.call('HDEL', event, 'verdict', 'posting')
  move('received')
end
redis.call('ZADD', KEYS[3], ARGV[3], id)
note('requeued', 'run ' .. run)
return run
