-- Prepended to the scripts that lease, and to the one that freezes a verdict: detects that Redis may have lost steps that
-- processes saw acknowledged. `run_id` is new after each start of a server, `master_replid` also after each promotion
-- (https://redis.io/docs/latest/commands/info/). If either differs from what `history` contains, or `history` is missing
-- although the caller has seen it, then another history begins now.
-- history: key of a hash of `server`, `began` (ms) and `lost` (1 if there was a history before this one, else 0).
-- seen: the token that the caller was returned last, or ''.
-- Returns a token of the history, when it began (ms), and 'first', 'later', or 'unknown' if INFO is not permitted: then
-- the ledger may have lost anything at any time.
local function read_history(history, seen, now)
  local server, replication = redis.pcall('INFO', 'server'), redis.pcall('INFO', 'replication')
  if type(server) == 'table' or type(replication) == 'table' then return '', now, 'unknown' end
  local identity = (string.match(server, 'run_id:(%w+)') or '')
    .. (string.match(replication, 'master_replid:(%w+)') or '')
  if identity == '' then return '', now, 'unknown' end
  local stored, began, lost = unpack(redis.call('HMGET', history, 'server', 'began', 'lost'))
  local token = stored and stored .. ' ' .. began .. ' ' .. lost
  -- A process that has just started may have begun a first history after the loss of everything.
  if stored ~= identity or (lost == '0' and seen ~= '' and seen ~= token) then
    lost = (stored or seen ~= '') and '1' or '0'
    began = string.format('%d', now)
    redis.call('HSET', history, 'server', identity, 'began', began, 'lost', lost)
    token = identity .. ' ' .. began .. ' ' .. lost
  end
  return token, tonumber(began), lost == '1' and 'later' or 'first'
end
