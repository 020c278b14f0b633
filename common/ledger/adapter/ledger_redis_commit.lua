-- SPDX-License-Identifier: Apache-2.0
-- commit: stores what a call of the ledger decided, if everything that it had looked at is still as it was.
--
-- KEYS[1] the gate. ARGV[1] what it has to hold ('': any), ARGV[2] the number of comparisons, each four arguments:
-- key, field ('': the key is a string), how ('p': the value begins with, 'x': the value is), what ('': nothing is there).
-- Then writes: a command in small letters and its arguments (ARITY), or one of
--   prog key field reach tail outstanding aside  adds to a file's progress; `reach` and its `tail` only where it is
--                                                farther than what is there
--   rcpt key field end                           the receipt of a closed end was noted: the largest stays
--   most key field value                         the largest of two 64-bit numbers stays
-- Numbers of 64 bits are eight bytes, big endian, and compared by halves: a Lua number is exact to 2^53 only.
-- All comparisons come before the first write. Answers 1, or 0 when a comparison did not hold: nothing was written.
if ARGV[1] ~= '' then
  local now = redis.call('GET', KEYS[1])
  if now ~= ARGV[1] then return redis.error_reply('GATE ' .. (now or 'is shut')) end
end

local i = 3
for _ = 1, tonumber(ARGV[2]) do
  local key, field, how, what = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local now
  if field == '' then now = redis.call('GET', key) else now = redis.call('HGET', key, field) end
  if what == '' then
    if now then return 0 end
  elseif not now then
    return 0
  elseif how == 'x' then
    if now ~= what then return 0 end
  elseif string.sub(now, 1, #what) ~= what then
    return 0
  end
  i = i + 4
end

local ARITY = {hset = 3, hdel = 2, set = 2, del = 1, append = 2, zadd = 3, zrem = 2, sadd = 2, srem = 2}
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

while i <= #ARGV do
  local op = ARGV[i]
  local n = ARITY[op]
  if n == 3 then
    redis.call(op, ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
  elseif n == 2 then
    redis.call(op, ARGV[i + 1], ARGV[i + 2])
  elseif n == 1 then
    redis.call(op, ARGV[i + 1])
  elseif op == 'prog' then
    prog(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5], ARGV[i + 6])
    n = 6
  elseif op == 'rcpt' then
    rcpt(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
    n = 3
  elseif op == 'most' then
    most(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
    n = 3
  else
    return redis.error_reply('ERR commit: no write ' .. tostring(op))
  end
  i = i + n + 1
end
return 1
