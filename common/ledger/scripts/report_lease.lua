-- Prepended to every script that changes one event. Acquires its report lease: one owner at a time may decide and post.
-- run: '' for the current one. lease: its duration (ms). respected: how long another owner's lease is respected (ms).
-- lost: the same for an owner whose lease may be lost (ms). history: the key of the history. seen: token of the history.
-- Returns {1, record, token}, {0, ms until the other lease ends, token}, or {-1, 0, token} if there is nothing to report.
local function acquire_report_lease(run, owner, lease, respected, lost, history, seen)
  local token, began, known = read_history(history, seen, now)
  local state = get('state')
  if not state or state == 'reported' or state == 'ignored' then return {-1, 0, token} end
  if run ~= '' and not current(run) then return {-1, 0, token} end
  -- The other lease is assumed to have the same duration, so this is its start plus the respected time.
  local holder, ends = get('lease_owner'), tonumber(get('lease_ends') or '0') - lease + respected
  if holder and holder ~= owner and ends > now then return {0, ends - now, token} end
  -- A reporter may be posting a verdict that Redis has lost, with its lease. No other process decides until it must have
  -- ended.
  if known == 'later' and not get('verdict') and not get('taken') and arrived() < began then
    ends = began + math.max(respected, lost)
    if ends > now then return {0, ends - now, token} end
  end
  redis.call('HSET', event, 'lease_owner', owner, 'lease_ends', now + lease)
  return {1, redis.call('HGETALL', event), token}
end
