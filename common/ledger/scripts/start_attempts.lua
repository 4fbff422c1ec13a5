-- Starts an attempt of every given check without an outcome. The counts survive redelivery, which limits the attempts of
-- a check that kills its process. ARGV: id, run, until when the caller waits (ms), then checks.
-- Returns {{check, attempts, …}, record, snapshot}, or {} if the run is stale or all outcomes are in already.
if not is_waiting(ARGV[3]) then return late() end
if not current(ARGV[2]) or get('state') ~= 'checking' then return {} end
local attempts = {}
for index = 4, #ARGV do
  local check = ARGV[index]
  if redis.call('HEXISTS', event, 'o:' .. check) == 0 then
    attempts[#attempts + 1] = check
    attempts[#attempts + 1] = redis.call('HINCRBY', event, 'a:' .. check, 1)
  end
end
if #attempts == 0 then return {} end
return {attempts, redis.call('HGETALL', event), redis.call('GET', KEYS[2])}
