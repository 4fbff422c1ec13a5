-- Removes an answered or ignored event from the ledger. ARGV: id. Returns 1 if it was removed.
-- Its entry in the index of its workspace ends with the age limit of that index.
local state = get('state')
if state ~= 'reported' and state ~= 'ignored' then
  -- The record has expired, and only the indexes still name it.
  if not state then
    redis.call('ZREM', KEYS[4], id)
    for index = 5, 10 do redis.call('ZREM', KEYS[index], id) end
  end
  return 0
end
redis.call('UNLINK', event, KEYS[2])
redis.call('ZREM', KEYS[3], id)
redis.call('ZREM', KEYS[4], id)
redis.call('ZREM', KEYS[STATES[state]], id)
return 1
