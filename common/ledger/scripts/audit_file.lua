-- Records once in the fleet that a configuration file changed. KEYS: 1 the audit trail, 2 the files' known states.
-- ARGV: the file, its state as the caller read it, its new state, then the entry as in audit_record.
-- Returns 1, or 0 if another process changed the state meanwhile.
if (redis.call('HGET', KEYS[2], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
audit(KEYS[1], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9])
return 1
