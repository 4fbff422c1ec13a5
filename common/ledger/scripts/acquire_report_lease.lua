-- Acquires the report lease of an event.
-- ARGV: id, run or '' for the current one, owner, lease (ms), how long another owner's lease is respected (ms), the same
-- for an owner whose lease may be lost (ms), token of the history, until when the caller waits (ms). KEYS: 11 the history.
-- Returns as `acquire_report_lease` does.
if not is_waiting(ARGV[8]) then return late() end
local lease, respected, lost = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
return acquire_report_lease(ARGV[2], ARGV[3], lease, respected, lost, KEYS[11], ARGV[7])
