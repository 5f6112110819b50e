import assert from 'node:assert/strict';
import { dockerWithInput, eventually } from '../../support/testbed.ts';

/** Every type and encoding, binary names and values, TTLs, consumer groups, functions, several databases. */
export const seed = String.raw`
SET "bin\x00\xff\r\n key" "value \x00\x01\xfe\xff \"quoted\" \\ back"
SET number 12345
SET small -7
SET huge 9007199254740993
SET text "gr\xc3\xbc\xc3\x9fe"
SET compressible "${'a'.repeat(300)}"
SETRANGE big 1500000 "the end"
SET expiring soon PXAT 4102444800123
HSET hash a 1 b "two \x00" c 3.5
PEXPIREAT hash 4102444801000
RPUSH list one two "\x00three" 4
SADD set m1 m2 m3
SADD numbers 1 2 3 500000
ZADD zset 1 a 2.5 b -inf c +inf d
PFADD hll a b c d e f
GEOADD geo 13.361389 38.115556 Palermo
SETBIT bits 100000 1
XADD stream 1-1 f v g w
XADD stream 2-1 f v2
XADD stream 3-1 x y
XDEL stream 2-1
XGROUP CREATE stream g1 0
XGROUP CREATE stream g2 $
XREADGROUP GROUP g1 alice COUNT 1 STREAMS stream >
XGROUP CREATECONSUMER stream g1 idle
XADD emptied 1-0 a b
XDEL emptied 1-0
EVAL "for i=1,3000 do redis.call('hset','bighash','f'..i,'v'..i) redis.call('rpush','biglist',string.rep('x',i)) redis.call('sadd','bigset','m'..i) redis.call('zadd','bigzset',i/7,'m'..i) redis.call('xadd','bigstream',i..'-1','f',i) end" 0
SELECT 3
SET other "in db 3"
SELECT 15
SET last "in db 15"
SELECT 0
FUNCTION LOAD "#!lua name=lib1\nredis.register_function('twice', function(keys, args) return args[1] * 2 end)"
FUNCTION LOAD "#!lua name=lib2\nredis.register_function('one', function() return 1 end)"
`;

/** Fields that expire, Redis 7.4 and later. */
export const fieldExpiry = `
HSET fields a 1 b 2 c 3
HPEXPIREAT fields 4102444802000 FIELDS 1 b
HSET onlyfields a 1
HPEXPIREAT onlyfields 4102444802000 FIELDS 1 a
EVAL "for i=1,600 do redis.call('hset','bigfields','f'..i,i) redis.call('hpexpireat','bigfields',4102444802000+i,'fields',1,'f'..i) end" 0
`;

/** One line per key: database, name, type, expiry and content, in an order that does not depend on the server. */
export const everything = String.raw`
local out = {}
local function sorted(list) table.sort(list) return list end
local function pairs_of(flat) local t = {} for i = 1, #flat, 2 do t[#t+1] = flat[i] .. '=' .. tostring(flat[i+1]) end return sorted(t) end
for db = 0, 15 do
  redis.call('SELECT', db)
  for _, key in ipairs(sorted(redis.call('KEYS', '*'))) do
    local kind = redis.call('TYPE', key).ok
    local v = {}
    if kind == 'string' then v = { redis.call('GET', key) }
    elseif kind == 'list' then v = redis.call('LRANGE', key, 0, -1)
    elseif kind == 'set' then v = sorted(redis.call('SMEMBERS', key))
    elseif kind == 'zset' then v = pairs_of(redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'))
    elseif kind == 'hash' then
      v = pairs_of(redis.call('HGETALL', key))
      for _, f in ipairs(sorted(redis.call('HKEYS', key))) do
        local r = redis.pcall('HPEXPIRETIME', key, 'FIELDS', 1, f)
        if not r.err then v[#v+1] = f .. '@' .. tostring(r[1]) end
      end
    elseif kind == 'stream' then
      for _, e in ipairs(redis.call('XRANGE', key, '-', '+')) do v[#v+1] = e[1] .. ':' .. table.concat(e[2], ',') end
      local told = redis.call('XINFO', 'STREAM', key)
      for i = 1, #told, 2 do
        local name = told[i]
        if name == 'last-generated-id' or name == 'max-deleted-entry-id' or name == 'entries-added' then v[#v+1] = name .. '=' .. tostring(told[i+1]) end
      end
      for _, g in ipairs(redis.call('XINFO', 'GROUPS', key)) do
        for i = 1, #g do v[#v+1] = 'g ' .. tostring(g[i]) end
        for _, p in ipairs(redis.call('XPENDING', key, g[2], '-', '+', 100)) do v[#v+1] = 'p ' .. p[1] .. ' ' .. p[2] .. ' ' .. tostring(p[4]) end
        for _, c in ipairs(redis.call('XINFO', 'CONSUMERS', key, g[2])) do v[#v+1] = 'c ' .. c[2] .. ' ' .. tostring(c[4]) end
      end
    end
    out[#out+1] = db .. ' ' .. redis.sha1hex(key) .. ' ' .. kind .. ' ' .. redis.call('PEXPIRETIME', key) .. ' ' .. redis.sha1hex(table.concat(v, '\0'))
  end
end
return out
`;

/** A client in the container, logged in as the test knows. */
export interface Cli {
  readonly tool: 'redis-cli' | 'valkey-cli';
  readonly password?: string;
}

export function cli(name: string, { tool, password }: Cli, args: readonly string[], input = ''): Promise<string> {
  const login = password === undefined ? [] : ['-e', `REDISCLI_AUTH=${password}`];
  return dockerWithInput(input, 'exec', '-i', ...login, name, tool, ...args);
}

export const ready = (name: string, as: Cli) =>
  eventually(async () => assert.match(await cli(name, as, ['INFO', 'persistence']), /loading:0/));

/** Runs lines of commands; none may be refused. */
export async function commands(name: string, as: Cli, lines: string): Promise<void> {
  assert.doesNotMatch(await cli(name, as, [], lines.trimStart()), /^(ERR|WRONGTYPE|NOAUTH|NOPERM|LOADING)/m);
}

export async function fingerprint(name: string, as: Cli): Promise<string> {
  await ready(name, as);
  const functions = await cli(name, as, ['FUNCTION', 'LIST', 'WITHCODE']);
  return `${await cli(name, as, ['EVAL', everything, '0'])}\n${functions.split('\n').sort().join('\n')}`;
}

export async function damage(name: string, as: Cli): Promise<void> {
  await commands(name, as, 'DEL hash big\nSET number 1\nSET later new\nSELECT 7\nSET more new\nFUNCTION DELETE lib1\n');
}

export const redisCli: Cli = { tool: 'redis-cli' };
