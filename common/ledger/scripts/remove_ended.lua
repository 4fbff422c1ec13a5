-- Removes an answered or ignored event from the ledger and its indexes. ARGV: id. KEYS: 11 the names of all events,
-- 12 the events with the same names, then the other indexes of the event. Returns 1 if it was removed.
local state = get('state')
if state ~= 'reported' and state ~= 'ignored' then
  -- The record has expired, and only the indexes still name it.
  if not state then
    redis.call('ZREM', KEYS[4], id)
    for index = 5, 10 do redis.call('ZREM', KEYS[index], id) end
  end
  return 0
end
for index = 12, #KEYS do redis.call('ZREM', KEYS[index], id) end
local names = get('names')
if names and redis.call('EXISTS', KEYS[12]) == 0 then redis.call('ZREM', KEYS[11], names) end
redis.call('UNLINK', event, KEYS[2])
redis.call('ZREM', KEYS[3], id)
redis.call('ZREM', KEYS[4], id)
redis.call('ZREM', KEYS[STATES[state]], id)
return 1
