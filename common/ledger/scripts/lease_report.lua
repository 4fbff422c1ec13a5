-- Leases a report, and with it its event.
-- KEYS: 1 to 5 as `lease_entry`, 6 the history. ARGV: 1 to 5 as `lease_entry`, then until when the caller waits (ms), prefix
-- of the keys of events, owner of the lease of the event, its duration (ms), how long such a lease is respected that may be
-- lost (ms), token of the history.
-- Returns as `lease_entry`; after a report, what `acquire_report_lease` returns.
if not is_waiting(ARGV[6]) then return late() end
local leased = lease_entry(KEYS, ARGV, now)
if #leased < 3 then return leased end
local run, message_id = string.match(leased[1], '^%d+ (%d+) (.*)$')
event, id = ARGV[7] .. message_id, message_id
local lease, lost = tonumber(ARGV[9]), tonumber(ARGV[10])
-- The owner of a report that it leased before was killed: so its lease of the event ends at once.
local respected = leased[3] == 1 and 0 or lease
leased[4] = acquire_report_lease(run, ARGV[8], lease, respected, lost, KEYS[6], ARGV[11])
return leased
