#!lua flags=allow-oom
-- Opens an incarnation (design §3.11) after comparing what the cluster was made with (§3.12).
-- KEYS: 1 marker of the incarnation, 2 hash of settings
-- ARGV: 1 incarnation, 2 create or expect, then settings: name, value, …
-- Returns {opened}, {changed, incarnation found or ''}, {differs, name, value found, …}
-- Atomic: nothing is written where a setting differs or the incarnation does not fit. An older marker is replaced by a
-- newer one, never the other way round, so a straggler cannot bring a lost incarnation back.
-- Called by openRedisBus.

local differs = { 'differs' }
for index = 3, #ARGV, 2 do
  local found = redis.call('HGET', KEYS[2], ARGV[index])
  if found and found ~= ARGV[index + 1] then
    differs[#differs + 1] = ARGV[index]
    differs[#differs + 1] = found
  end
end
if #differs > 1 then return differs end

local marker = redis.call('GET', KEYS[1]) or ''
if marker ~= ARGV[1] then
  local fits = marker == '' or tonumber(marker) < tonumber(ARGV[1])
  if ARGV[2] ~= 'create' or not fits then return { 'changed', marker } end
  redis.call('SET', KEYS[1], ARGV[1])
end
for index = 3, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[index], ARGV[index + 1]) end
return { 'opened' }
