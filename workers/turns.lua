-- KEYS: 1 verdicts that wait by their deadline, 2 verdicts taken by when their lease ends, 3 the asker's event.
-- ARGV: the asker's turn, its deadline, lease (both in ms), 1 when a taker may have died. The asker waits too,
-- unless its event has ended.
-- Returns the turn to take; when there is none the ms until the asker's (or any) lease ends, else nil.
local ENDED = {reported = true, dead = true, ignored = true}
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local state = redis.call('HGET', KEYS[3], 'state')
if state and not ENDED[state] and not redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
end
-- Whoever took a turn and let its lease end is dead.
local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
local turn = first[1]
if not turn or tonumber(first[2]) > now then
  turn = redis.call('ZPOPMIN', KEYS[1])[1]
  if not turn then
    local ends = ARGV[4] == '1' and first[2] or redis.call('ZSCORE', KEYS[2], ARGV[1])
    return ends and ends - now
  end
end
redis.call('ZREM', KEYS[1], turn)
redis.call('ZADD', KEYS[2], now + ARGV[3], turn)
return turn
