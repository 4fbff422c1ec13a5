-- Decides whether tokens must be issued again.
-- KEYS: 1 waiting reports, 2 leased reports by the end of their lease, 3 activity.
-- ARGV: time without a lease after which tokens count as lost, minimum time between two issues (both ms), maximum number
-- of tokens.
-- Returns {number of waiting reports, number of tokens to issue}, and counts the latter as issued. None are returned
-- again until a report is leased or the minimum time is over: while all reporters are down, tokens must not accumulate
-- in the broker.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
-- A report with an expired lease also needs a token.
local waiting = redis.call('ZCARD', KEYS[1])
local pending = waiting + redis.call('ZCOUNT', KEYS[2], '-inf', now)
if pending == 0 then return {waiting, 0} end
local leased = tonumber(redis.call('HGET', KEYS[3], 'leased') or 0)
local issued = tonumber(redis.call('HGET', KEYS[3], 'issued') or 0)
-- The first call only starts the clock.
if redis.call('HSETNX', KEYS[3], 'leased', now) == 1 then leased = now end
if now - leased < tonumber(ARGV[1]) then return {waiting, 0} end
if issued > leased and now - issued < tonumber(ARGV[2]) then return {waiting, 0} end
redis.call('HSET', KEYS[3], 'issued', now)
return {waiting, math.min(pending, tonumber(ARGV[3]))}
