-- Leases an event that is not planned yet, so that one watchdog plans it. The count survives the process, which limits
-- how often an event that ends processes is tried. ARGV: id, lease (ms), maximum number of leases.
-- Returns 0 if the event is planned, leased or was leased too often.
if get('state') ~= 'received' or tonumber(get('takeover_until') or '0') > now then return 0 end
if tonumber(get('takeovers') or '0') >= tonumber(ARGV[3]) then return 0 end
redis.call('HINCRBY', event, 'takeovers', 1)
redis.call('HSET', event, 'takeover_until', now + ARGV[2])
note('taken-over', '')
return 1
