#!lua flags=allow-oom
-- Marks a router fenced and completes its last step where that was not applied yet (design §3.2, stage 2).
-- KEYS: 1 marker of the incarnation, 2 hash of steps by router, 3 set of fenced routers
-- ARGV: 1 prefix of all other keys, 2 incarnation, 3 router, 4 record of its last step, or empty
-- Returns fenced, gap (steps before the record are missing: nothing is written), changed (other incarnation)
-- Atomic; any number of takers may call it at once and again.
-- Called by RedisBus.fence.
--@include apply.lua

if redis.call('GET', KEYS[1]) ~= ARGV[2] then return 'changed' end

local record = ARGV[4] ~= '' and cmsgpack.unpack(ARGV[4]) or nil
local applied = tonumber(redis.call('HGET', KEYS[2], ARGV[3]) or '0')
if record and record[3] > applied + 1 then return 'gap' end
local foreign = record and unknown(record)
if foreign then return redis.error_reply('UNKNOWNOP ' .. foreign) end

redis.call('SADD', KEYS[3], ARGV[3])
if record and record[3] == applied + 1 then apply(ARGV[1], KEYS[2], record) end
return 'fenced'
