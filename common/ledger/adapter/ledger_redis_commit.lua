-- SPDX-License-Identifier: Apache-2.0
-- commit: stores what a call of the ledger decided, if everything that it had looked at is still as it was.
--
-- KEYS[1] the gate. ARGV[1] what it has to hold ('': any), ARGV[2] the number of comparisons. Then comparisons, and behind
-- them writes; each is a name, a key, the number of its arguments, and these.
-- Comparisons have pairs: field ('': the key is a string), what ('': nothing is there).
--   p  the value begins with it
--   x  the value is it
-- Writes are a command in small letters that takes all its arguments at once, or one of these, as often as there are
-- arguments for it:
--   prog (field reach tail outstanding aside)  adds to a file's progress; `reach` and its `tail` only where it is farther
--                                              than what is there
--   rcpt (field end)                           the receipt of a closed end was noted: the largest stays
--   most (field value)                         the largest of two 64-bit numbers stays
--   idx (field id)                             the id is in the list of ids; behind those that are there
-- Numbers of 64 bits are eight bytes, big endian, and compared by halves: a Lua number is exact to 2^53 only.
-- All comparisons come before the first write. Answers 1, or 0 when a comparison did not hold: nothing was written.
if ARGV[1] ~= '' then
  local now = redis.call('GET', KEYS[1])
  if now ~= ARGV[1] then return redis.error_reply('GATE ' .. (now or 'is shut')) end
end

local function holds(how, now, what)
  if what == '' then return not now end
  if not now then return false end
  if how == 'x' then return now == what end
  return string.sub(now, 1, #what) == what
end

local i = 3
for _ = 1, tonumber(ARGV[2]) do
  local how, key, n = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local first, last = i + 3, i + 2 + n
  if ARGV[first] == '' then
    if not holds(how, redis.call('GET', key), ARGV[last]) then return 0 end
  else
    local fields = {}
    for k = first, last, 2 do fields[#fields + 1] = ARGV[k] end
    local rows = redis.call('HMGET', key, unpack(fields))
    for k = 1, #fields do
      if not holds(how, rows[k], ARGV[first + 2 * k - 1]) then return 0 end
    end
  end
  i = last + 1
end

local PLAIN = {hset = true, hdel = true, set = true, del = true, append = true, zadd = true, zrem = true, sadd = true,
               srem = true}
local NOTHING = string.rep('\0', 36)

local function farther(a, b)
  local ah, al = struct.unpack('>I4I4', a)
  local bh, bl = struct.unpack('>I4I4', b)
  return ah > bh or (ah == bh and al > bl)
end

local function prog(key, field, reach, tail, outstanding, aside)
  local row = redis.call('HGET', key, field) or NOTHING
  local r, t, rest = string.sub(row, 1, 8), string.sub(row, 9, 16), string.sub(row, 29)
  local o, a = struct.unpack('>i8I4', row, 17)
  if farther(reach, r) then r, t = reach, tail end
  redis.call('HSET', key, field,
    r .. t .. struct.pack('>i8I4', o + tonumber(outstanding), a + tonumber(aside)) .. rest)
end

local function rcpt(key, field, stop)
  local row = redis.call('HGET', key, field) or NOTHING
  if farther(stop, string.sub(row, 29)) then redis.call('HSET', key, field, string.sub(row, 1, 28) .. stop) end
end

local function most(key, field, value)
  local now = redis.call('HGET', key, field)
  if not now or farther(value, now) then redis.call('HSET', key, field, value) end
end

local function idx(key, field, id)
  if redis.call('HSETNX', key, field, id) == 1 then return end
  local ids = redis.call('HGET', key, field)
  for at = 1, #ids, 16 do
    if string.sub(ids, at, at + 15) == id then return end
  end
  redis.call('HSET', key, field, ids .. id)
end

local OURS = {prog = {5, prog}, rcpt = {2, rcpt}, most = {2, most}, idx = {2, idx}}

while i <= #ARGV do
  local op, key, n = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local ours = OURS[op]
  if PLAIN[op] then
    redis.call(op, key, unpack(ARGV, i + 3, i + 2 + n))
  elseif ours then
    for k = i + 3, i + 2 + n, ours[1] do ours[2](key, unpack(ARGV, k, k + ours[1] - 1)) end
  else
    return redis.error_reply('ERR commit: no write ' .. tostring(op))
  end
  i = i + n + 3
end
return 1
