-- What every script of this folder begins with: it is put in front of the verb's own file before loading.
-- A script reads and checks everything before it writes anything, so an error leaves the counters as they were.

-- Lua's unpack is limited to some 8,000 values, so longer reads and writes go in pieces (even: field, value).
local PIECE = 4000
-- Numbers are doubles here and in the client, whose reader of answers is exact a little less far than 2^53; beyond that
-- a unit would be lost silently. 2^52 leaves room and is more than all the goods there are.
local COUNTER_MAX = 4503599627370496

local function corrupt(what)
  error({ err = 'STOCK_CORRUPT ' .. what })
end

local function read_many(key, fields)
  if #fields == 0 then return {} end
  if #fields <= PIECE then return redis.call('HMGET', key, unpack(fields)) end
  local values = {}
  for from = 1, #fields, PIECE do
    local to = math.min(from + PIECE - 1, #fields)
    local piece = redis.call('HMGET', key, unpack(fields, from, to))
    for i = 1, #piece do values[from + i - 1] = piece[i] end
  end
  return values
end

local function write_many(key, pairs_flat)
  for from = 1, #pairs_flat, PIECE do
    redis.call('HSET', key, unpack(pairs_flat, from, math.min(from + PIECE - 1, #pairs_flat)))
  end
end

local function checked(counter, sku)
  if not counter or counter ~= math.floor(counter) or counter > COUNTER_MAX or counter < -COUNTER_MAX then
    corrupt('counter of ' .. sku .. ' is not an integer within 2^52')
  end
  return counter
end

-- A SKU that the node has never had counts as zero.
local function counter_of(value, sku)
  if not value then return 0 end
  return checked(tonumber(value), sku)
end

-- The counters of all given SKUs as a table by SKU.
local function read_counters(key, skus)
  local values, counters = read_many(key, skus), {}
  for i = 1, #skus do counters[skus[i]] = counter_of(values[i], skus[i]) end
  return counters
end

local function current_epoch(meta)
  return redis.call('HGET', meta, 'epoch')
end

local STALE_EPOCH = 2
-- [2, the node's epoch, or nil while it is not loaded].
local function stale(epoch)
  return { STALE_EPOCH, epoch and tonumber(epoch) or false }
end
