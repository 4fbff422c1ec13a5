-- Admits an event: the first delivery creates the record, later ones are only counted.
-- ARGV: id, event, received, deadline, watch, how long to keep the event (ms). KEYS[11 …]: indexes of the event.
-- Returns {1 if new, record}.
local received, kept = ARGV[3], ARGV[6]
local fresh = redis.call('HSETNX', event, 'event', ARGV[2])
if fresh == 1 then
  redis.call('HSET', event, 'received', received, 'admitted', now, 'deadline', ARGV[4], 'watch', ARGV[5], 'run', 1, 'done', 0)
  redis.call('PEXPIRE', event, kept)
  redis.call('ZADD', KEYS[4], received, id)
  redis.call('ZADD', KEYS[3], ARGV[5], id)
  move('received')
  note('admitted', '')
  for index = 4, 10 do remove_old(KEYS[index], kept) end
  add_to_indexes(11, kept)
end
redis.call('HINCRBY', event, 'deliveries', 1)
return {fresh, redis.call('HGETALL', event)}
