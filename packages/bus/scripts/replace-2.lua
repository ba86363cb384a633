#!lua flags=allow-oom
-- Replaces a record where it is as the caller believes: a session over HTTP that one instance holds at a time.
-- KEYS: 1 marker of the incarnation, 2 hash of the record's version and value
-- ARGV: 1 incarnation, 2 believed version, 0 for none, 3 next value, 4 milliseconds that it lives, 0 to remove it
-- Returns {replaced}, {kept} (another version), {changed} (other incarnation)
-- Atomic: of any number of writers one succeeds. A repeat of the one that succeeded is told so again.
-- Called by RedisBus.replace.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return { 'changed' } end

local version, value = unpack(redis.call('HMGET', KEYS[2], 'version', 'value'))
local held, believed = tonumber(version or '0'), tonumber(ARGV[2])
if held == believed + 1 and value == ARGV[3] then return { 'replaced' } end
if held ~= believed then
  -- Gone already, as a removal wants it.
  if held == 0 and ARGV[4] == '0' then return { 'replaced' } end
  return { 'kept' }
end
if ARGV[4] == '0' then
  redis.call('DEL', KEYS[2])
else
  redis.call('HSET', KEYS[2], 'version', believed + 1, 'value', ARGV[3])
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
return { 'replaced' }
