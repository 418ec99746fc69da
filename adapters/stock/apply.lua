-- apply: tells the counters what Postgres did first (receipt, count, cancel of a committed reservation), in the order
-- of the node's own numbers.
--
-- Guarantees
--   * Every change is applied exactly once and in order: those that the node knows already are skipped, and a gap
--     changes nothing.
--   * A counter may become negative: a count below what is reserved is believed.
--
-- KEYS  1 atp: hash SKU → units available to promise
--       2 meta: hash epoch, seq (number of the last change applied)
-- ARGV  1 stock epoch
--       2 number of the first change given
--       3… one change each, numbered consecutively: JSON ["sku",units,"sku",units,…], units to add, negative to take
--
-- Answer
--   [2 stale_epoch, the node's epoch or nil]: nothing changed
--   [30 applied, seq now, how many were applied, then pairs: SKU, its atp now]
--   [31 already_applied, seq now]: nothing changed
--   [32 seq_gap, seq now]: nothing changed, changes from seq + 1 on are missing

local APPLIED, ALREADY_APPLIED, SEQ_GAP = 30, 31, 32

local epoch = current_epoch(KEYS[2])
if epoch ~= ARGV[1] then return stale(epoch) end

local seq = tonumber(redis.call('HGET', KEYS[2], 'seq'))
if not seq then corrupt('seq is missing') end
local first = tonumber(ARGV[2])
local last = first + #ARGV - 3
if first > seq + 1 then return { SEQ_GAP, seq } end
if last <= seq then return { ALREADY_APPLIED, seq } end

local skus, added = {}, {}
for at = 3 + (seq + 1 - first), #ARGV do
  local change = cjson.decode(ARGV[at])
  for i = 1, #change, 2 do
    local sku = change[i]
    if not added[sku] then
      added[sku] = 0
      skus[#skus + 1] = sku
    end
    added[sku] = checked(added[sku] + change[i + 1], sku)
  end
end

local atp, counters = read_counters(KEYS[1], skus), {}
local answer = { APPLIED, last, last - seq }
for i = 1, #skus do
  local sku = skus[i]
  local counter = checked(atp[sku] + added[sku], sku)
  counters[2 * i - 1] = sku
  counters[2 * i] = counter
  answer[2 * i + 2] = sku
  answer[2 * i + 3] = counter
end
write_many(KEYS[1], counters)
redis.call('HSET', KEYS[2], 'seq', last)
return answer
