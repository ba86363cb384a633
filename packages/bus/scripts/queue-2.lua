#!lua flags=no-writes
-- One page of a session's queue, payloads filled in.
-- KEYS: 1 marker of the incarnation, 2 queue
-- ARGV: 1 incarnation, 2 prefix of payloads, 3 number before the first, 4 last number, 5 entries at most, 6 bytes at most
-- Returns changed, or a flat list: entry, payload ('' where the entry holds it itself, false where it is gone), …
-- Atomic: a trim comes before or after a page, never between an entry and its payload.
-- Called by RedisBus.queue.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'changed' end
local after, last = tonumber(ARGV[3]), tonumber(ARGV[4])

-- Numbers rise: the first entry above `after` is found by halving.
local low, high = 0, redis.call('LLEN', KEYS[2])
while low < high do
  local middle = math.floor((low + high) / 2)
  local n = struct.unpack('>d', redis.call('LINDEX', KEYS[2], middle))
  if n <= after then low = middle + 1 else high = middle end
end

local page, bytes = {}, 0
for _, entry in ipairs(redis.call('LRANGE', KEYS[2], low, low + tonumber(ARGV[5]) - 1)) do
  local n, length = struct.unpack('>dI2', entry)
  if n > last or bytes > tonumber(ARGV[6]) then break end
  local payload = ''
  if length > 0 then
    payload = redis.call('HGET', ARGV[2] .. string.sub(entry, 15, 14 + length), 'bytes')
  end
  page[#page + 1] = entry
  page[#page + 1] = payload
  bytes = bytes + #entry + (payload and #payload or 0)
end
return page
