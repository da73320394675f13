import { createHash } from "node:crypto";

/** A script, and the hash by which Redis knows it once it has run. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

function script(lua: string): Script {
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}

/** What both scripts begin with. All times are of Redis' own clock; all amounts are integers below 2^53. */
const PRELUDE = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local MAX = 9007199254740991
local function text(x) return string.format('%.0f', x) end
local function get(key, field) return tonumber(redis.call('HGET', key, field) or '0') end
local function set(key, field, x) redis.call('HSET', key, field, text(math.max(0, math.min(x, MAX)))) end

-- A process whose clock is far behind names an end that is over: what is in use stays all the same.
local MIN_KEPT = 3600000
local function keep(key, ends) redis.call('PEXPIREAT', key, text(math.max(tonumber(ends), now + MIN_KEPT))) end
local function keep_late(key, ends) if tonumber(ends) < now + MIN_KEPT then keep(key, ends) end end

local function make(key, names, known, is_seeded, ends, counts)
  redis.call('HSET', key, 'epoch', time[1] .. '-' .. time[2], 'spent', '0', 'seed', known, 'reserved', '0')
  if is_seeded then redis.call('HSET', key, 'seeded', '1') end
  keep(key, ends)
  if counts == '1' then
    redis.call('INCR', names)
    keep(names, ends)
  end
end

-- A process that knows more than this bucket began with knows it from one that Redis has lost.
local function remind(key, known, epoch)
  if epoch ~= '' and epoch ~= redis.call('HGET', key, 'epoch') and tonumber(known) > get(key, 'seed') then
    set(key, 'seed', tonumber(known))
    redis.call('HSET', key, 'seeded', '1')
  end
end

local function expire(key, open)
  local due = redis.call('ZRANGEBYSCORE', open, '-inf', now, 'LIMIT', 0, 100)
  for _, member in ipairs(due) do
    local amount, estimate = string.match(member, '|(%d+)|(%d+)$')
    redis.call('ZREM', open, member)
    set(key, 'reserved', get(key, 'reserved') - tonumber(amount))
    set(key, 'spent', get(key, 'spent') + tonumber(estimate))
  end
end

local function state(key)
  local epoch, spent, seed, reserved, unpriced, seeded =
    unpack(redis.call('HMGET', key, 'epoch', 'spent', 'seed', 'reserved', 'unpriced', 'seeded'))
  local total = math.min(MAX, tonumber(spent or '0') + tonumber(seed or '0'))
  return {epoch or '', text(total), reserved or '0', unpriced or '0', seeded or '0'}
end

local function level(key, limit)
  return math.max(0, get(key, 'level') - math.max(0, now - get(key, 'at')) * limit)
end

local function fill(key, limit, units)
  local l = math.max(0, math.min(level(key, limit) + units * 60000, MAX))
  redis.call('HSET', key, 'level', text(l), 'at', text(math.max(now, get(key, 'at'))))
  redis.call('PEXPIRE', key, text(math.ceil(l / limit) + 60000))
end
`;

/**
 * Reserves in all buckets or in none. A refusal makes no bucket that would hold nothing: its epoch is empty then. KEYS: for each budget its bucket, its reservations and the count of its names; then
 * the limits. ARGV: budgets, member, amount, how long it is held, units, most names, until when keys are kept; then for
 * each budget limit (-1: none), known, epoch, what Redis does not know of, whether it may be made, whether it counts,
 * end; for each limit units per minute.
 */
export const RESERVE = script(`${PRELUDE}
local budgets, member, amount = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local hold, units, most = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local function arg(i, n) return ARGV[6 + (i - 1) * 7 + n] end
local function limit(i) return tonumber(ARGV[6 + budgets * 7 + i]) end
local limits = #KEYS - budgets * 3

local missing = {'missing'}
local full
for i = 1, budgets do
  if redis.call('EXISTS', KEYS[i * 3 - 2]) == 0 then
    if arg(i, 5) == '0' then missing[#missing + 1] = i - 1
    elseif arg(i, 6) == '1' and tonumber(redis.call('GET', KEYS[i * 3]) or '0') >= most then full = full or i - 1 end
  end
end
if #missing > 1 then return missing end
if full then return {'full', full} end

local refused = -1
for i = 1, budgets do
  local key, open = KEYS[i * 3 - 2], KEYS[i * 3 - 1]
  local used = tonumber(arg(i, 2)) + tonumber(arg(i, 4))
  if redis.call('EXISTS', key) == 1 then
    remind(key, arg(i, 2), arg(i, 3))
    expire(key, open)
    keep_late(key, arg(i, 7))
    keep_late(KEYS[i * 3], arg(i, 7))
    used = get(key, 'spent') + get(key, 'seed') + get(key, 'reserved') + tonumber(arg(i, 4))
  end
  local most_used = tonumber(arg(i, 1))
  if refused < 0 and most_used >= 0 and used + amount > most_used then refused = i - 1 end
end
for i = 1, limits do
  local key = KEYS[budgets * 3 + i]
  if refused < 0 and level(key, limit(i)) + units * 60000 > limit(i) * 60000 then refused = budgets + i - 1 end
end

for i = 1, budgets do
  local key = KEYS[i * 3 - 2]
  if redis.call('EXISTS', key) == 0 and (refused < 0 or tonumber(arg(i, 2)) > 0) then
    make(key, KEYS[i * 3], arg(i, 2), arg(i, 3) ~= '', arg(i, 7), arg(i, 6))
  end
end
if refused < 0 then
  for i = 1, budgets do
    local key, open = KEYS[i * 3 - 2], KEYS[i * 3 - 1]
    redis.call('ZADD', open, now + hold, member)
    keep(open, arg(i, 7))
    set(key, 'reserved', get(key, 'reserved') + amount)
  end
  for i = 1, limits do fill(KEYS[budgets * 3 + i], limit(i), units) end
end
local reply = {refused < 0 and 'granted' or 'refused', refused, text(now)}
for i = 1, budgets do reply[#reply + 1] = state(KEYS[i * 3 - 2]) end
for i = 1, limits do reply[#reply + 1] = text(level(KEYS[budgets * 3 + i], limit(i))) end
return reply
`);

/**
 * Carries out a batch once, however often it comes. KEYS: the sequence of the process; for each budget its bucket, its
 * reservations and the count of its names; then the limits. ARGV: sequence, how long it is remembered, budgets; then for
 * each budget known, epoch, end, whether it counts, spent, unpriced, epoch of the seed, seed, number of removals, and for
 * each of those member and epoch; for each limit units per minute and units.
 */
export const SETTLE = script(`${PRELUDE}
local at = 0
local function arg()
  at = at + 1
  return ARGV[at]
end
local sequence, remembered, budgets = tonumber(arg()), arg(), tonumber(arg())
local is_new = tonumber(redis.call('GET', KEYS[1]) or '0') < sequence
if is_new then redis.call('SET', KEYS[1], text(sequence), 'PX', remembered) end

local reply = {}
for i = 1, budgets do
  local key, open, names = KEYS[i * 3 - 1], KEYS[i * 3], KEYS[i * 3 + 1]
  local known, epoch, ends, counts = arg(), arg(), arg(), arg()
  local spent, unpriced = tonumber(arg()), tonumber(arg())
  local seed_epoch, seed, removals = arg(), tonumber(arg()), tonumber(arg())
  if redis.call('EXISTS', key) == 0 then make(key, names, known, epoch ~= '', ends, counts) end
  remind(key, known, epoch)
  expire(key, open)
  keep_late(key, ends)
  local is_epoch = redis.call('HGET', key, 'epoch')
  for _ = 1, removals do
    local member, landed = arg(), arg()
    local amount, estimate = string.match(member, '|(%d+)|(%d+)$')
    if is_new then
      if redis.call('ZREM', open, member) == 1 then
        set(key, 'reserved', get(key, 'reserved') - tonumber(amount))
      elseif landed == is_epoch then
        -- It was forgotten and counted as its estimate.
        spent = spent - tonumber(estimate)
      end
    end
  end
  if is_new then
    set(key, 'spent', get(key, 'spent') + spent)
    if unpriced > 0 then set(key, 'unpriced', get(key, 'unpriced') + unpriced) end
    if seed_epoch == is_epoch then
      redis.call('HSET', key, 'seeded', '1')
      if seed > get(key, 'seed') then set(key, 'seed', seed) end
    end
  end
  reply[i] = state(key)
end
if is_new then
  for i = 1, #KEYS - 1 - budgets * 3 do
    local limit, units = tonumber(arg()), tonumber(arg())
    fill(KEYS[1 + budgets * 3 + i], limit, units)
  end
end
return reply
`);
