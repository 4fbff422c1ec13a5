-- Returns tasks of several queues that may be taken, oldest first within a queue, and leases them.
-- KEYS: the tasks of each queue by the time from which they may be taken (ms). ARGV: 1 maximum number for
-- each queue, so that none waits for another, 2 length of the lease (ms). Returns {number of the queue, task, …}.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local taken = {}
for number, key in ipairs(KEYS) do
  for _, task in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, ARGV[1])) do
    redis.call('ZADD', key, now + ARGV[2], task)
    taken[#taken + 1] = number
    taken[#taken + 1] = task
  end
end
return taken
