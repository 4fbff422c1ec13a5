-- Adds checks of a workspace to its waiting checks. Returns 1 if the caller must publish them: the workspace then has no
-- other message in the slow queue. A repeated call for published checks returns 1, too.
-- KEYS: 1 published entry, 2 waiting entries by deadline, 3 workspaces. ARGV: 1 workspace, 2 entry, 3 deadline (ms),
-- 4 how long a published entry counts (ms).
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
redis.call('SADD', KEYS[3], ARGV[1])
if redis.call('SET', KEYS[1], ARGV[2], 'NX', 'PX', ARGV[4]) then return 1 end
return redis.call('GET', KEYS[1]) == ARGV[2] and 1 or 0
