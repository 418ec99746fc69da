-- reload: makes one node's counters anew from Postgres' figures, in one call or in several pieces.
--
-- Guarantees
--   * Until the last piece is in, the node has no epoch, so every other script refuses with `stale_epoch`.
--   * Only a newer epoch replaces an older one. Of two that load at the same time the newer epoch wins, at the same
--     epoch the one that began later; the other one is told `superseded` and its pieces go nowhere.
--   * Counters, records and numbers of before are dropped whole, of whatever type a corruption made them.
-- This script is sent whole every time: its being known to Redis says nothing about the counters.
--
-- KEYS  1 atp: hash SKU → units available to promise
--       2 held: hash reservation id → record
--       3 meta: hash epoch, seq; while loading: loading (epoch), loader
-- ARGV  1 stock epoch of the new figures
--       2 seq: number of the last change that the figures contain
--       3 loader: a word that no other load uses
--       4 "1" in the first piece, else "0"
--       5 "1" in the last piece, else "0"
--       6… pairs: SKU, units available to promise
--
-- Answer
--   [2 stale_epoch, the node's epoch or nil]: the node is, or is being, loaded at this epoch or a newer one
--   [40 reloaded]: the last piece is in, the node works
--   [41 loading]: this piece is in
--   [42 superseded]: another load of this node began

local RELOADED, LOADING, SUPERSEDED = 40, 41, 42
local atp, held, meta = KEYS[1], KEYS[2], KEYS[3]

if ARGV[4] == '1' then
  local type_of_meta = redis.call('TYPE', meta).ok
  if type_of_meta ~= 'hash' and type_of_meta ~= 'none' then redis.call('DEL', meta) end
  local epoch, loading = current_epoch(meta), redis.call('HGET', meta, 'loading')
  if (tonumber(epoch) or -1) >= tonumber(ARGV[1]) then return stale(epoch) end
  if (tonumber(loading) or -1) > tonumber(ARGV[1]) then return stale(epoch) end
  redis.call('UNLINK', atp, held, meta)
  redis.call('HSET', meta, 'loading', ARGV[1], 'loader', ARGV[3])
elseif redis.call('HGET', meta, 'loader') ~= ARGV[3] then
  return { SUPERSEDED }
end

for from = 6, #ARGV, PIECE do
  redis.call('HSET', atp, unpack(ARGV, from, math.min(from + PIECE - 1, #ARGV)))
end
if ARGV[5] ~= '1' then return { LOADING } end
redis.call('HDEL', meta, 'loading', 'loader')
redis.call('HSET', meta, 'epoch', ARGV[1], 'seq', ARGV[2])
return { RELOADED }
