"""What happens to a session in one step on the server, so that no two steps of two clients mix.

A script instead of WATCH and MULTI: one round trip instead of three, nothing to try again when many write, and a write
to a session that is gone does nothing. Plain MULTI can't do that: HSET would bring the session back, without its life.
None of them loops over what it finds, and each may be sent twice, as a client does whose answer was lost.
"""

from __future__ import annotations

# A session lives at least so long from now, and its user's index knows until when at the latest: reading a session
# gives it a new life, and the index hears of that only at each touch, hence the slack. What isn't an index is removed.
_KEEP = b"""
local function keep(session, index)
  local now, life, slack, id = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
  if redis.call('PTTL', session) < life then redis.call('PEXPIRE', session, life) end
  if not index then return end
  if redis.call('TYPE', index).ok ~= 'zset' then redis.call('UNLINK', index) end
  local left = redis.call('PTTL', session) + slack
  redis.call('ZREMRANGEBYSCORE', index, '-inf', '(' .. now)
  redis.call('ZADD', index, now + left, id)
  if redis.call('PTTL', index) < left then redis.call('PEXPIRE', index, left) end
end
"""

READ = b"""
local fields = redis.call('HGETALL', KEYS[1])
if #fields > 0 and redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return fields
"""
"""KEYS: the session. ARGV: its life in ms. Returns fields and values in turn; none if there is no session."""

CREATE = (
    _KEEP
    + b"""
redis.call('HSET', KEYS[1], unpack(ARGV, 5))
keep(KEYS[1], KEYS[2])
return 1
"""
)
"""KEYS: the session, and its user's index if it has a user. ARGV: now, life and slack in ms, the id, then fields and
values in turn.
"""

EXTEND = (
    _KEEP
    + b"""
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
keep(KEYS[1], KEYS[2])
return 1
"""
)
"""KEYS: as of CREATE. ARGV: now, life and slack in ms, the id. Returns whether there is the session."""

WRITE = (
    _KEEP
    + b"""
local guard, expected, new, last = ARGV[5], ARGV[6], ARGV[7], 8 + tonumber(ARGV[8])
local held = redis.call('HGET', KEYS[1], guard)
if not held then return 0 end
if held ~= new then
  if expected ~= '' and held ~= expected then return -1 end
  redis.call('HSET', KEYS[1], guard, new, unpack(ARGV, 9, last))
  if #ARGV > last then redis.call('HDEL', KEYS[1], unpack(ARGV, last + 1)) end
end
keep(KEYS[1], KEYS[2])
return 1
"""
)
"""KEYS: as of CREATE. ARGV: now, life and slack in ms, the id, a field with the value that it must have (or nothing)
and its new one, how many words the fields to write have, these with their values, and the fields to remove.

Returns 1 if it is written (or was: the field has the new value already), 0 if there is no session, -1 if the field has
another value.
"""

ROTATE = (
    _KEEP
    + b"""
local last = 6 + tonumber(ARGV[6])
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('RENAME', KEYS[2], KEYS[1])
elseif redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV, 7, last))
if #ARGV > last then redis.call('HDEL', KEYS[1], unpack(ARGV, last + 1)) end
redis.call('ZREM', KEYS[4], ARGV[5])
keep(KEYS[1], KEYS[3])
return 1
"""
)
"""KEYS: the session's new name and its old one, the index of its user and that of its user before. ARGV: now, life and
slack in ms, the new id and the old one, then as of WRITE. Returns whether there is the session.
"""
