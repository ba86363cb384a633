#!lua
-- Appends one entry to a stream that has room (design §3.9).
-- KEYS: 1 marker of the incarnation, 2 stream
-- ARGV: 1 incarnation, 2 entries the stream may hold, 3 bytes it may hold, 4 entry
-- Returns accepted, full, changed (other incarnation); refused whole (OOM) when Redis is at maxmemory
-- Atomic. Called by RedisBus.publish.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'changed' end
if redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[2]) then return 'full' end
local bytes = redis.call('MEMORY', 'USAGE', KEYS[2], 'SAMPLES', 4)
if bytes and bytes + #ARGV[4] > tonumber(ARGV[3]) then return 'full' end
redis.call('XADD', KEYS[2], '*', 'f', ARGV[4])
return 'accepted'
