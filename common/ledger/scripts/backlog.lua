-- KEYS: 1 reports waiting, 2 reports leased by the end of their lease, 3 activity.
-- ARGV: after how long without a lease tokens count as lost, how long an issue counts (both ms), tokens at most.
-- Returns {reports waiting, tokens to issue}, and counts these as issued. They are not returned again until a report is
-- leased or the issue no longer counts: while all reporters are down, tokens must not pile up in the broker.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local waiting = redis.call('ZCARD', KEYS[1])
local pending = waiting + redis.call('ZCOUNT', KEYS[2], '-inf', now)
if pending == 0 then return {waiting, 0} end
local leased = tonumber(redis.call('HGET', KEYS[3], 'leased') or 0)
local issued = tonumber(redis.call('HGET', KEYS[3], 'issued') or 0)
if redis.call('HSETNX', KEYS[3], 'leased', now) == 1 then leased = now end
if now - leased < tonumber(ARGV[1]) then return {waiting, 0} end
if issued > leased and now - issued < tonumber(ARGV[2]) then return {waiting, 0} end
redis.call('HSET', KEYS[3], 'issued', now)
return {waiting, math.min(pending, tonumber(ARGV[3]))}
