#!lua flags=allow-oom
-- Changes who holds a name, where it is held as the caller believes: the lease of an outgoing shard (design §4).
-- KEYS: 1 marker of the incarnation, 2 hash of holders by name
-- ARGV: 1 incarnation, 2 name, 3 believed holder, 4 next holder; empty is nobody
-- Returns {held, holder afterwards}, {changed} (other incarnation)
-- Atomic: of any number of takers one succeeds, and the others learn of it.
-- Called by RedisBus.claim.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return { 'changed' } end

local holder = redis.call('HGET', KEYS[2], ARGV[2]) or ''
if holder ~= ARGV[3] then return { 'held', holder } end
if ARGV[4] == '' then
  redis.call('HDEL', KEYS[2], ARGV[2])
else
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
end
return { 'held', ARGV[4] }
