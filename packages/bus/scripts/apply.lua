-- The interpreter of a step's operations, put in front of commit-3 and fence-3 when they are loaded.
-- Frozen with the first release: a router's last record must be completable by a newer router, and a newer one's by this.
-- Every name has the type of its key in front (keys.ts), so no operation can meet a key of another type; what else could
-- be wrong with a record is refused before it is sent (operations.ts). So nothing in here fails midway.
-- Entries of queues: number (double), length of the payload's name (2 bytes), length of meta (4), name, meta, payload.

local batch = 1000 -- arguments of one call: Lua's stack is bounded
local page = 256 -- queue entries looked at in one go, at most
local orphaned = 600000 -- ms after which the stream of an instance that is gone goes too; a heartbeat renews it

local function each(command, key, list)
  for first = 1, #list, batch do
    redis.call(command, key, unpack(list, first, math.min(first + batch - 1, #list)))
  end
end

local function release(prefix, ref)
  local key = prefix .. 'p:' .. ref
  if redis.call('HINCRBY', key, 'references', -1) <= 0 then redis.call('UNLINK', key) end
end

local function trim(prefix, key, upTo)
  local taken, seen
  local size = 4 -- most acknowledgements cover a few entries: reading many to remove one would be dear
  repeat
    local entries = redis.call('LRANGE', key, 0, size - 1)
    size = math.min(size * 4, page)
    taken, seen = 0, #entries
    for _, entry in ipairs(entries) do
      local n, length = struct.unpack('>dI2', entry)
      if upTo ~= -1 and n > upTo then break end
      if length > 0 then release(prefix, string.sub(entry, 15, 14 + length)) end
      taken = taken + 1
    end
    if taken > 0 then redis.call('LTRIM', key, taken, -1) end
  until seen == 0 or taken < seen
end

local operations = {
  remove = function(prefix, stream, positions) each('XDEL', prefix .. 's:' .. stream, positions) end,
  append = function(prefix, stream, entry)
    local key = prefix .. 's:' .. stream
    local position = redis.call('XADD', key, '*', 'f', entry)
    if string.sub(stream, 1, 2) == 'd:' then redis.call('PEXPIRE', key, orphaned) end
    return position
  end,
  hset = function(prefix, key, fields) each('HSET', prefix .. 'h:' .. key, fields) end,
  hdel = function(prefix, key, fields) each('HDEL', prefix .. 'h:' .. key, fields) end,
  unlink = function(prefix, keys)
    for _, key in ipairs(keys) do
      redis.call('UNLINK', prefix .. 'h:' .. key, prefix .. 'z:' .. key, prefix .. 'p:' .. key)
    end
  end,
  zadd = function(prefix, key, members) each('ZADD', prefix .. 'z:' .. key, members) end,
  zrem = function(prefix, key, members) each('ZREM', prefix .. 'z:' .. key, members) end,
  enqueue = function(prefix, queue, entries) each('RPUSH', prefix .. 'q:' .. queue, entries) end,
  trim = function(prefix, queue, upTo) trim(prefix, prefix .. 'q:' .. queue, upTo) end,
  payload = function(prefix, key, bytes, references)
    redis.call('HSET', prefix .. 'p:' .. key, 'bytes', bytes, 'references', references)
  end,
}

-- The first operation that this interpreter does not know, to be asked before anything is written.
local function unknown(record)
  for _, operation in ipairs(record[4]) do
    if not operations[operation[1]] then return operation[1] end
  end
end

-- Applies the whole record and counts its step; answers the positions of what it appended.
local function apply(prefix, steps, record)
  local positions = {}
  for _, operation in ipairs(record[4]) do
    local position = operations[operation[1]](prefix, operation[2], operation[3], operation[4])
    if position then positions[#positions + 1] = position end
  end
  redis.call('HSET', steps, record[2], record[3])
  return positions
end
