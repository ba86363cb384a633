#!lua flags=allow-oom
-- Applies the Redis half of one step exactly once (design §3.3 b).
-- KEYS: 1 marker of the incarnation, 2 hash of steps by router, 3 set of fenced routers
-- ARGV: 1 prefix of all other keys, 2 incarnation, 3 record (record.ts): [1, router, step, operations]
-- Returns {outcome, positions of the appends}; outcome: applied, done, gap, fenced, changed (other incarnation)
-- Atomic: every check comes before the first write. allow-oom: when memory is short, a commit is what frees it.
-- Called by RedisBus.commit.
--@include apply.lua

local record = cmsgpack.unpack(ARGV[3])
local router, step = record[2], record[3]
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return { 'changed' } end
if redis.call('SISMEMBER', KEYS[3], router) == 1 then return { 'fenced' } end

local applied = tonumber(redis.call('HGET', KEYS[2], router) or '0')
if applied == step then return { 'done' } end
if applied ~= step - 1 then return { 'gap' } end
local foreign = unknown(record)
if foreign then return redis.error_reply('UNKNOWNOP ' .. foreign) end

return { 'applied', apply(ARGV[1], KEYS[2], record) }
