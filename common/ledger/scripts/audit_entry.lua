-- Prepended to every script that records in the audit trail, a stream. Keeps the newest 100,000 entries of the
-- last 400 days.
local function audit(stream, actor, action, subject, reason, old, new)
  redis.call('XADD', stream, '*', 'actor', actor, 'action', action, 'subject', subject, 'reason', reason, 'old', old, 'new', new)
  redis.call('XTRIM', stream, 'MAXLEN', 100000)
  redis.call('XTRIM', stream, 'MINID', string.format('%d', (redis.call('TIME')[1] - 400 * 86400) * 1000))
end
