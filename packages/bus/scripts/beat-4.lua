#!lua flags=allow-oom
-- Announces an instance for a while (design §3.8).
-- KEYS: 1 marker of the incarnation, 2 announcement, 3 sorted set of instances by when they run out, 4 delivery stream
-- ARGV: 1 incarnation, 2 id, 3 announcement, 4 ms that it stands, 5 ms that the delivery stream outlives it
-- Returns accepted, changed (other incarnation)
-- The set is only an index: what it lists and has no announcement is gone, and is dropped from it much later.
-- Called by RedisBus.beat.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'changed' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - ARGV[5])
redis.call('ZADD', KEYS[3], now + ARGV[4], ARGV[2])
redis.call('PEXPIRE', KEYS[4], ARGV[5])
return 'accepted'
