-- Stores the plan of a run with the outcomes that exist already; the first plan is kept.
-- ARGV: id, run, plan, number of checks, snapshot or '', how long to keep the snapshot (ms), started check or '', what the
-- operation works on or '', names for the search or '', how long to keep the event (ms), then check, outcome, kind, ….
-- KEYS: 11 the names of all events, 12 the events with these names. Returns 1 if this plan was stored.
if not current(ARGV[2]) or get('state') ~= 'received' then return 0 end
redis.call('HSET', event, 'plan', ARGV[3], 'planned', ARGV[4], 'done', (#ARGV - 10) / 3)
if ARGV[8] ~= '' then redis.call('HSET', event, 'target', ARGV[8]) end
if ARGV[5] ~= '' then redis.call('SET', KEYS[2], ARGV[5], 'PX', ARGV[6]) end
if ARGV[9] ~= '' then
  redis.call('HSET', event, 'names', ARGV[9])
  redis.call('ZADD', KEYS[11], 'GT', get('received'), ARGV[9])
  redis.call('PEXPIRE', KEYS[11], ARGV[10])
  remove_old(KEYS[11], ARGV[10])
  add_to_indexes(12, ARGV[10])
end
move('checking')
note('planned', ARGV[4] .. ' checks')
if ARGV[7] ~= '' then redis.call('HSET', event, 'a:' .. ARGV[7], 1) end
for index = 11, #ARGV, 3 do
  redis.call('HSET', event, 'o:' .. ARGV[index], ARGV[index + 1])
  note('checked', ARGV[index] .. ' ' .. ARGV[index + 2])
end
return 1
