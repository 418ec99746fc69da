-- reserve: takes goods of one node for many reservations, each one all or nothing on its own, in the order given.
--
-- Guarantees
--   * A reservation's lines are all checked before any is taken; a refused one takes nothing. No counter falls below zero.
--   * Counters and records change in this one call or not at all, so they cannot part.
--   * Asked again with the same id and lines it takes nothing more: the record is looked up first, and is as old as this
--     call from now on. An id that is held with other lines changes nothing.
--   * Lines that share a SKU are added up, whether or not the caller did.
--
-- KEYS  1 atp: hash SKU → units available to promise
--       2 held: hash reservation id → "<made at, epoch ms> <lines>"
--       3 meta: hash epoch, seq
-- ARGV  1 stock epoch
--       2 now, epoch ms
--       3… pairs: reservation id, lines as JSON ["sku",units,"sku",units,…] added up and sorted by SKU, since the text
--         is what "the same lines" means
--
-- Answer
--   [2 stale_epoch, the node's epoch or nil]: nothing changed
--   [1 ran, then for each reservation: its status, and the atp of each of its lines as it stands after this reservation]
--     10 reserved
--     11 already_reserved
--     12 exists_with_different_lines
--     13 insufficient_stock: at least one line wants more than the atp told here

local RAN, RESERVED, ALREADY_RESERVED, EXISTS_WITH_DIFFERENT_LINES, INSUFFICIENT_STOCK = 1, 10, 11, 12, 13

local epoch = current_epoch(KEYS[3])
if epoch ~= ARGV[1] then return stale(epoch) end

local ids, texts, lines_of, skus, seen = {}, {}, {}, {}, {}
for at = 3, #ARGV, 2 do
  local lines = cjson.decode(ARGV[at + 1])
  ids[#ids + 1] = ARGV[at]
  texts[#ids] = ARGV[at + 1]
  lines_of[#ids] = lines
  for i = 1, #lines, 2 do
    local sku = lines[i]
    if not seen[sku] then
      seen[sku] = true
      skus[#skus + 1] = sku
    end
  end
end

local records, held = read_many(KEYS[2], ids), {}
for i = 1, #ids do
  local record = records[i]
  if record then
    local space = string.find(record, ' ', 1, true)
    if not space then corrupt('record of ' .. ids[i]) end
    held[ids[i]] = string.sub(record, space + 1)
  end
end
local atp = read_counters(KEYS[1], skus)

local answer, made, taken, taken_skus = { RAN }, {}, {}, {}
for r = 1, #ids do
  local id, text, lines = ids[r], texts[r], lines_of[r]
  local status
  if held[id] then
    status = held[id] == text and ALREADY_RESERVED or EXISTS_WITH_DIFFERENT_LINES
    if status == ALREADY_RESERVED then
      made[#made + 1] = id
      made[#made + 1] = ARGV[2] .. ' ' .. text
    end
  else
    status = RESERVED
    -- Take first and look afterwards: that adds up lines of one SKU by itself.
    for i = 1, #lines, 2 do
      local sku = lines[i]
      local left = atp[sku] - lines[i + 1]
      atp[sku] = left
      if left < 0 then status = INSUFFICIENT_STOCK end
    end
    if status == INSUFFICIENT_STOCK then
      for i = 1, #lines, 2 do atp[lines[i]] = atp[lines[i]] + lines[i + 1] end
    else
      held[id] = text
      made[#made + 1] = id
      made[#made + 1] = ARGV[2] .. ' ' .. text
      for i = 1, #lines, 2 do
        local sku = lines[i]
        if not taken[sku] then
          taken[sku] = true
          taken_skus[#taken_skus + 1] = sku
        end
      end
    end
  end
  answer[#answer + 1] = status
  for i = 1, #lines, 2 do answer[#answer + 1] = atp[lines[i]] end
end

local counters = {}
for i = 1, #taken_skus do
  counters[2 * i - 1] = taken_skus[i]
  counters[2 * i] = atp[taken_skus[i]]
end
write_many(KEYS[1], counters)
write_many(KEYS[2], made)
return answer
