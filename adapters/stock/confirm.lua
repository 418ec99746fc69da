-- confirm: Postgres has committed these reservations, so their records go. The goods stay taken.
--
-- Guarantees
--   * Idempotent: confirming what is not held is the outcome `absent` and changes nothing.
--
-- KEYS  1 held: hash reservation id → record
--       2 meta: hash epoch, seq
-- ARGV  1 stock epoch
--       2… reservation ids
--
-- Answer
--   [2 stale_epoch, the node's epoch or nil]: nothing changed
--   [1 ran, then for each id: its status]
--     20 confirmed
--     21 absent

local RAN, CONFIRMED, ABSENT = 1, 20, 21

local epoch = current_epoch(KEYS[2])
if epoch ~= ARGV[1] then return stale(epoch) end

local answer = { RAN }
for i = 2, #ARGV do
  answer[i] = redis.call('HDEL', KEYS[1], ARGV[i]) == 1 and CONFIRMED or ABSENT
end
return answer
