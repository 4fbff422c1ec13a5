-- Prepended to every script that changes one event. KEYS: 1 event (hash), 2 snapshot, 3 deadlines, 4 all events,
-- then the events of each state: 5 received, 6 checking, 7 decided, 8 reported, 9 dead, 10 ignored.
-- ARGV[1] is the message id. Times are milliseconds of the server's clock, which all processes share.
local event, id = KEYS[1], ARGV[1]
local STATES = {received = 5, checking = 6, decided = 7, reported = 8, dead = 9, ignored = 10}
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function get(field)
  return redis.call('HGET', event, field)
end

-- Appends a line to the timeline; limited to 16 KB, since an event can be requeued without limit.
local function note(what, detail)
  local text = get('timeline') or ''
  if #text < 16384 then
    redis.call('HSET', event, 'timeline', text .. string.format('%d', now) .. ' ' .. what .. ' ' .. detail .. '\n')
  end
end

-- Moves the event to a state and to the index of that state.
local function move(state)
  local from = get('state')
  if from ~= state then
    if from then redis.call('ZREM', KEYS[STATES[from]], id) end
    redis.call('ZADD', KEYS[STATES[state]], get('received'), id)
    redis.call('HSET', event, 'state', state)
  end
end

-- Removes from a sorted set by time of arrival what is older than `kept` (ms); entries do not expire by themselves. After a
-- time without events very many are too old at once, and removing all would keep other clients waiting: each event adds
-- one entry and removes up to 100.
local function remove_old(key, kept)
  local old = redis.call('ZCOUNT', key, '-inf', now - kept)
  if old > 0 then redis.call('ZREMRANGEBYRANK', key, 0, math.min(old, 100) - 1) end
end

-- Adds the event to the indexes KEYS[first …]: sorted sets by time of arrival, which drop what is older than `kept` (ms).
local function add_to_indexes(first, kept)
  if first > #KEYS then return end
  local received = get('received')
  for index = first, #KEYS do
    redis.call('ZADD', KEYS[index], received, id)
    redis.call('PEXPIRE', KEYS[index], kept)
    remove_old(KEYS[index], kept)
  end
end

local function current(run)
  return get('run') == run
end

-- Returns when the event arrived: ingest's clock or the server's, whichever is earlier.
local function arrived()
  return math.min(get('received'), get('admitted'))
end

-- A server that stood still executes the commands that it received before, although their callers no longer wait: these
-- get no lease, and count no attempt. Whether the caller still waits, and the reply if it does not.
local function is_waiting(until_)
  return now <= tonumber(until_)
end

local function late()
  return redis.error_reply('LATE the caller no longer waits')
end

-- The report queue: scripts that change it also get KEYS 11 waiting, 12 leased, 13 leases, 14 idle
-- reporters by the time by which they look for a report.
-- Returns the entry of the current run: deadline, run, message id.
local function report()
  return get('deadline') .. ' ' .. get('run') .. ' ' .. id
end

local function dequeue()
  local entry = report()
  redis.call('ZREM', KEYS[11], entry)
  redis.call('ZREM', KEYS[12], entry)
  redis.call('HDEL', KEYS[13], entry)
end

-- Enqueues the report. A leased report stays with its owner. If `lease` (ms) is above 0, the caller leases it at once.
local function enqueue(lease)
  local entry = report()
  if redis.call('ZSCORE', KEYS[12], entry) then return end
  if lease > 0 then
    redis.call('ZREM', KEYS[11], entry)
    redis.call('ZADD', KEYS[12], now + lease, entry)
  else
    redis.call('ZADD', KEYS[11], get('deadline'), entry)
  end
end

-- Returns the number of waiting reports that need a token: each idle reporter takes one without.
local function waiting()
  return math.max(redis.call('ZCARD', KEYS[11]) - redis.call('ZCOUNT', KEYS[14], now, '+inf'), 0)
end
