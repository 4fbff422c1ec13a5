-- KEYS: 1 verdicts that wait by their deadline, 2 verdicts taken by when their lease ends, 3 the bell.
-- ARGV: how many to take, lease (ms), then verdicts taken that are done.
-- Returns how many go on waiting, and the verdicts taken now.
local most = tonumber(ARGV[1])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

for index = 3, #ARGV do redis.call('ZREM', KEYS[2], ARGV[index]) end
-- Whoever took a verdict and let its lease end is dead, or put it off until now.
local turns = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, most)
if #turns < most then
  local waiting = redis.call('ZPOPMIN', KEYS[1], most - #turns)
  for index = 1, #waiting, 2 do turns[#turns + 1] = waiting[index] end
end
for _, turn in ipairs(turns) do redis.call('ZADD', KEYS[2], now + ARGV[2], turn) end
local waiting = redis.call('ZCARD', KEYS[1])
if waiting == 0 then redis.call('DEL', KEYS[3]) end
return {waiting, unpack(turns)}
