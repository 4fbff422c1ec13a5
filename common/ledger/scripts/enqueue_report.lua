-- Enqueues the report of a run. ARGV: id, run, 1 to end a lease of the report as well. KEYS as in record_outcomes.
-- Returns the number of reports that need a token, or -1 if the event is final or the run is stale.
local state = get('state')
if not current(ARGV[2]) or state == 'reported' or state == 'dead' or state == 'ignored' then return -1 end
if ARGV[3] == '1' then dequeue() end
enqueue(0)
return waiting()
