-- SPDX-License-Identifier: Apache-2.0
-- load: reads the rows that one call of the ledger is about, all at one moment. Changes nothing.
--
-- KEYS[1] the gate. ARGV[1] what it has to hold ('': any), ARGV[2] the prefix of all keys, ARGV[3] the generation,
-- then requests, each a letter and its arguments. Answers an array: the list of generations, then an answer a request.
--   g key              GET
--   h key field        HGET
--   m key n field...   HMGET
--   s id bucket n field...  stripes of one hash, each with the rest of it when its row says that there is one:
--                      {row, rest, row, rest, ...}
--   k key field        an index entry and what it names last: {ids, file row, {generation, progress, ...}}
--   p id               the progress of a file in all generations: {generation, progress, ...}
--   d id generation    a file with everything: {file row, progress, batches, {bucket, {field, row, rest, ...}, ...}}
--   l bucket max       ids of whole file buckets from `bucket` on, until there are `max`
--   a key              HGETALL
--   z key after max    members of a sorted set behind `after`, in order
-- REDIS.md beside this file has the layout of keys and rows.
if ARGV[1] ~= '' then
  local now = redis.call('GET', KEYS[1])
  if now ~= ARGV[1] then return redis.error_reply('GATE ' .. (now or 'is shut')) end
end
local prefix, generation = ARGV[2], ARGV[3]
local generations = redis.call('GET', prefix .. 'gens') or ''

local function file_row(id)
  local a, b = string.byte(id, 1, 2)
  return redis.call('HGET', prefix .. 'f:' .. (a * 16 + math.floor(b / 16)), id)
end

local function progress(id, gen)
  local a, b = string.byte(id, 1, 2)
  return redis.call('HGET', prefix .. 'p:' .. gen .. ':' .. (a * 256 + b), string.sub(id, 3))
end

local function all_progress(id)
  local out = {}
  for gen in string.gmatch(generations, '%d+') do
    out[#out + 1] = gen
    out[#out + 1] = progress(id, gen)
  end
  return out
end

-- The lowest bit of a row's fourth byte says that the stripe has more: winners, voids, a reason.
local function has_rest(row) return row and string.byte(row, 4) % 2 == 1 end

local function whole(id, gen)
  local name = gen .. ':' .. id
  local out = {file_row(id), progress(id, gen), redis.call('GET', prefix .. 'b:' .. name)}
  local buckets = redis.call('SMEMBERS', prefix .. 't:' .. name)
  buckets[#buckets + 1] = '0'
  for _, bucket in ipairs(buckets) do
    local rows = redis.call('HGETALL', prefix .. 's:' .. name .. ':' .. bucket)
    local list = {}
    for i = 1, #rows, 2 do
      local rest = false
      if has_rest(rows[i + 1]) then
        local stripe = string.format('%.0f', tonumber(bucket) * 64 + string.byte(rows[i]))
        rest = redis.call('GET', prefix .. 'x:' .. name .. ':' .. stripe)
      end
      list[#list + 1] = rows[i]
      list[#list + 1] = rows[i + 1]
      list[#list + 1] = rest
    end
    out[#out + 1] = bucket
    out[#out + 1] = list
  end
  return out
end

local function ids_from(bucket, max)
  local out = {}
  while bucket < 4096 and #out < max do
    for _, id in ipairs(redis.call('HKEYS', prefix .. 'f:' .. bucket)) do out[#out + 1] = id end
    bucket = bucket + 1
  end
  out[#out + 1] = tostring(bucket)
  return out
end

local function stripes(id, bucket, fields)
  local name = generation .. ':' .. id
  local rows, out = redis.call('HMGET', prefix .. 's:' .. name .. ':' .. bucket, unpack(fields)), {}
  for j, field in ipairs(fields) do
    local row, rest = rows[j], false
    if has_rest(row) then
      local stripe = string.format('%.0f', tonumber(bucket) * 64 + string.byte(field))
      rest = redis.call('GET', prefix .. 'x:' .. name .. ':' .. stripe)
    end
    out[2 * j - 1], out[2 * j] = row, rest
  end
  return out
end

local out, i = {generations}, 4
while i <= #ARGV do
  local op, a, b, c = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local answer
  if op == 's' then
    local n = tonumber(c)
    answer = stripes(a, b, {unpack(ARGV, i + 4, i + 3 + n)})
    i = i + 4 + n
  elseif op == 'm' then
    local n = tonumber(b)
    answer = redis.call('HMGET', a, unpack(ARGV, i + 3, i + 2 + n))
    i = i + 3 + n
  elseif op == 'h' then
    answer = redis.call('HGET', a, b)
    i = i + 3
  elseif op == 'g' then
    answer = redis.call('GET', a)
    i = i + 2
  elseif op == 'k' then
    local ids = redis.call('HGET', a, b)
    local id = ids and string.sub(ids, -16)
    answer = {ids, id and file_row(id), id and all_progress(id)}
    i = i + 3
  elseif op == 'p' then
    answer = all_progress(a)
    i = i + 2
  elseif op == 'd' then
    answer = whole(a, b)
    i = i + 3
  elseif op == 'l' then
    answer = ids_from(tonumber(a), tonumber(b))
    i = i + 3
  elseif op == 'a' then
    answer = redis.call('HGETALL', a)
    i = i + 2
  elseif op == 'z' then
    answer = redis.call('ZRANGEBYLEX', a, b == '' and '-' or '(' .. b, '+', 'LIMIT', 0, tonumber(c))
    i = i + 4
  else
    return redis.error_reply('ERR load: no request ' .. tostring(op))
  end
  out[#out + 1] = answer
end
return out
