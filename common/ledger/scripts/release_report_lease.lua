-- Releases the report lease without a report. ARGV: id, owner, note, 1 if certainly nothing was posted.
if get('lease_owner') == ARGV[2] then
  redis.call('HDEL', event, 'lease_owner', 'lease_ends')
  if ARGV[4] == '1' then redis.call('HDEL', event, 'posting') end
  if ARGV[3] ~= '' then note('post_failed', ARGV[3]) end
end
return 1
