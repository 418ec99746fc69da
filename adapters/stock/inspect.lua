-- inspect: one node's counters and records as they stand at one instant. Changes nothing.
--
-- KEYS  1 atp: hash SKU → units available to promise
--       2 held: hash reservation id → "<made at, epoch ms> <lines>"
--       3 meta: hash epoch, seq
-- ARGV  1 stock epoch
--       2 "all", or "some" (then no records are told) and then
--       3… SKUs
--
-- Answer
--   [2 stale_epoch, the node's epoch or nil]
--   [50 inspected, seq, [SKU, atp, …], [reservation id, record, …]]; SKUs that the node never had are left out

local INSPECTED = 50

local epoch = current_epoch(KEYS[3])
if epoch ~= ARGV[1] then return stale(epoch) end

local counters = {}
if ARGV[2] == 'all' then
  local flat = redis.call('HGETALL', KEYS[1])
  for i = 1, #flat, 2 do
    counters[i] = flat[i]
    counters[i + 1] = counter_of(flat[i + 1], flat[i])
  end
else
  local skus = {}
  for i = 3, #ARGV do skus[i - 2] = ARGV[i] end
  local values = read_many(KEYS[1], skus)
  for i = 1, #skus do
    if values[i] then
      counters[#counters + 1] = skus[i]
      counters[#counters + 1] = counter_of(values[i], skus[i])
    end
  end
end
local seq = tonumber(redis.call('HGET', KEYS[3], 'seq'))
if not seq then corrupt('seq is missing') end
local records = {}
if ARGV[2] == 'all' then records = redis.call('HGETALL', KEYS[2]) end
return { INSPECTED, seq, counters, records }
