#!lua flags=no-writes
-- Where streams begin and end, without sending their first and last entries to anybody.
-- KEYS: 1 marker of the incarnation, then streams
-- ARGV: 1 incarnation
-- Returns changed, or for each stream {first position or '', last position ever given, length}
-- Called by RedisBus.extent.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'changed' end

local extents = {}
for index = 2, #KEYS do
  local extent = { '', '0', 0 }
  if redis.call('EXISTS', KEYS[index]) == 1 then
    local info = redis.call('XINFO', 'STREAM', KEYS[index])
    for field = 1, #info, 2 do
      local value = info[field + 1]
      if info[field] == 'length' then extent[3] = value end
      if info[field] == 'last-generated-id' then extent[2] = value end
      if info[field] == 'first-entry' and value then extent[1] = value[1] end
    end
  end
  extents[#extents + 1] = extent
end
return extents
