-- release: these reservations will not be committed, so their goods go back and their records go, in one step.
--
-- Guarantees
--   * What goes back is what the record says was taken, not what the caller believes.
--   * Idempotent: releasing what is not held (never was, confirmed, or released before) is `absent` and changes nothing.
--   * A caller that takes a record for abandoned names when it was made, and releases only that one. When another
--     attempt has asked for the record again since, it is younger, is about to be committed, and stays.
--
-- KEYS  1 atp: hash SKU → units available to promise
--       2 held: hash reservation id → "<made at, epoch ms> <lines>"
--       3 meta: hash epoch, seq
-- ARGV  1 stock epoch
--       2… pairs: reservation id, when the record to be released was made, epoch ms, or "" for whichever there is
--
-- Answer
--   [2 stale_epoch, the node's epoch or nil]: nothing changed
--   [1 ran, then for each id: its status]
--     21 absent
--     22 released
--     23 asked_again

local RAN, ABSENT, RELEASED, ASKED_AGAIN = 1, 21, 22, 23

local epoch = current_epoch(KEYS[3])
if epoch ~= ARGV[1] then return stale(epoch) end

local ids, times = {}, {}
for at = 2, #ARGV, 2 do
  ids[#ids + 1] = ARGV[at]
  times[#ids] = ARGV[at + 1]
end
local records = read_many(KEYS[2], ids)

local answer, gone, skus, back, seen = { RAN }, {}, {}, {}, {}
for i = 1, #ids do
  -- The same id twice in one call: the second one finds nothing any more.
  local record = not seen[ids[i]] and records[i]
  local space = record and string.find(record, ' ', 1, true)
  if record and not space then corrupt('record of ' .. ids[i]) end
  local younger = record and times[i] ~= '' and string.sub(record, 1, space - 1) ~= times[i]
  if record and not younger then
    seen[ids[i]] = true
    local lines = cjson.decode(string.sub(record, space + 1))
    for l = 1, #lines, 2 do
      local sku = lines[l]
      if not back[sku] then
        back[sku] = 0
        skus[#skus + 1] = sku
      end
      back[sku] = back[sku] + lines[l + 1]
    end
    gone[#gone + 1] = ids[i]
  end
  answer[i + 1] = younger and ASKED_AGAIN or record and RELEASED or ABSENT
end

local atp, counters = read_counters(KEYS[1], skus), {}
for i = 1, #skus do
  local sku = skus[i]
  counters[2 * i - 1] = sku
  counters[2 * i] = checked(atp[sku] + back[sku], sku)
end
write_many(KEYS[1], counters)
for i = 1, #gone do redis.call('HDEL', KEYS[2], gone[i]) end
return answer
