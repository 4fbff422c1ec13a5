-- Removes finished checks of a workspace; returns the entry that the caller must publish next, or nil.
-- Entries past their deadline are dropped. Without an entry ('') it only replaces a published entry that was lost.
-- KEYS: 1 published entry, 2 waiting entries by deadline, 3 workspaces. ARGV: 1 workspace, 2 finished entry or '',
-- 3 how long a published entry counts (ms).
local clock = redis.call('TIME')
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', clock[1] * 1000)
local published = redis.call('GET', KEYS[1])
if published and published ~= ARGV[2] then return nil end
local following = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
if not following then
  redis.call('DEL', KEYS[1])
  redis.call('SREM', KEYS[3], ARGV[1])
  return nil
end
redis.call('SET', KEYS[1], following, 'PX', ARGV[3])
return following
