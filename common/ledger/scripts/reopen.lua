-- Requeues a reported, dead or ignored event: starts a new run. ARGV: id, deadline, watch, who requeues it, why.
-- KEYS as in record_outcomes, and last the audit trail.
-- A verdict that DataWorks may have accepted stays frozen; one that it is known to have accepted is kept as `taken`.
-- Returns the new run, 0 if the event is in another state, or -1 if it is unknown.
local state = get('state')
if not state then return -1 end
if state ~= 'reported' and state ~= 'dead' and state ~= 'ignored' then return 0 end
dequeue()
-- Outcomes ('o:'), attempts ('a:') and slow checks ('s:') belong to the previous run.
for _, field in ipairs(redis.call('HKEYS', event)) do
  local head = string.sub(field, 1, 2)
  if head == 'o:' or head == 'a:' or head == 's:' then redis.call('HDEL', event, field) end
end
redis.call('HDEL', event, 'plan', 'planned', 'lease_owner', 'lease_ends', 'interruptions', 'takeovers', 'takeover_until')
redis.call('HSET', event, 'done', 0, 'deadline', ARGV[2], 'watch', ARGV[3], 'deliveries', 0, 'requeued', now)
local run = redis.call('HINCRBY', event, 'run', 1)
local ambiguous = get('posting') and not get('reported')
if ambiguous then
  move('decided')
else
  redis.call('HDEL', event, 'verdict', 'posting', 'unverified')
  move('received')
end
redis.call('ZADD', KEYS[3], ARGV[3], id)
note('requeued', 'run ' .. run .. ' by ' .. ARGV[4] .. ': ' .. ARGV[5])
audit(KEYS[#KEYS], ARGV[4], 'requeue', id, ARGV[5], '', '')
return run
