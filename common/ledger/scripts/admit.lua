-- Admits an event: the first delivery creates the record, later ones are only counted.
-- ARGV: id, event, project, received, deadline, watch, how long to keep the event (ms). KEYS[11]: the workspace's index.
-- Returns {1 if new, record}.
local received = ARGV[4]
local fresh = redis.call('HSETNX', event, 'event', ARGV[2])
if fresh == 1 then
  redis.call('HSET', event, 'received', received, 'admitted', now, 'deadline', ARGV[5], 'watch', ARGV[6], 'run', 1, 'done', 0)
  redis.call('PEXPIRE', event, ARGV[7])
  redis.call('ZADD', KEYS[4], received, id)
  redis.call('ZADD', KEYS[11], received, id)
  redis.call('PEXPIRE', KEYS[11], ARGV[7])
  redis.call('ZADD', KEYS[3], ARGV[6], id)
  move('received')
  note('admitted', '')
  -- Indexes do not expire by entry: remove the events that have expired.
  local old = now - ARGV[7]
  redis.call('ZREMRANGEBYSCORE', KEYS[11], '-inf', old)
  for index = 4, 10 do redis.call('ZREMRANGEBYSCORE', KEYS[index], '-inf', old) end
end
redis.call('HINCRBY', event, 'deliveries', 1)
return {fresh, redis.call('HGETALL', event)}
