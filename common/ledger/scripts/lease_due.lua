-- Leases due events, nearest deadline first: they are due again when the lease ends, unless removed. Events whose deadline
-- has passed come last: they are late whatever happens, and must not make those late that still have time.
-- KEYS: 1 deadlines, 2 the history. ARGV: lease (ms), limit, token of the history, until when the caller waits (ms),
-- prefix of the keys of events. Returns {token, their ids, time until the next is due (ms; -1 without one)}.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
-- A server that stood still executes commands whose callers no longer wait.
if now > tonumber(ARGV[4]) then return redis.error_reply('LATE the caller no longer waits') end
local token = read_history(KEYS[2], ARGV[3], now)
-- An event gets its place in the order once, when it becomes due: a negative score, below all times.
local DUE = -1e14
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], 0, now, 'LIMIT', 0, 1000)) do
  redis.call('ZADD', KEYS[1], DUE + (redis.call('HGET', ARGV[5] .. id, 'deadline') or 0), id)
end
-- As text with all digits: Lua's own conversion keeps 14.
local limit, passed = tonumber(ARGV[2]), string.format('%.0f', DUE + now)
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], passed, '(0', 'LIMIT', 0, limit)
if #ids < limit then
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. passed, 'LIMIT', 0, limit - #ids)) do
    ids[#ids + 1] = id
  end
end
for _, id in ipairs(ids) do redis.call('ZADD', KEYS[1], now + ARGV[1], id) end
local following = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
return {token, ids, following and math.max(math.ceil(following - now), 0) or -1}
