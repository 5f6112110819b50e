import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRedactor, withoutUserinfo } from './redact.ts';

/** Fault 94: what breaks escaping somewhere. */
const nasty = [
  'hunter2',
  `it's "quoted" and 'odd'`,
  'two words and  spaces',
  '100%sure%20%zz',
  '$HOME $' + '{PATH} $$ `id`',
  'käse-ñandú-密码-🔑',
  'back\\slash\\n',
  'ü"ö\\é',
  'a/b+c=d&e?f#g@h:i',
  '<xml attr="1">&amp;</xml>',
  'tab\there',
  '-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7\nq9Zf2Lx0oYw1\n-----END KEY-----\n',
  'windows\r\nline ends here\r\n',
  '.*+?^()[]{}|',
  '--password=x',
  'x'.repeat(300),
];

/** How programs repeat what they were given. */
const writers: Readonly<Record<string, (secret: string) => string>> = {
  'as it is': (secret) => secret,
  'URL-encoded': (secret) => encodeURIComponent(secret),
  'URL-encoded in lower case': (secret) => encodeURIComponent(secret).replace(/%../g, (hex) => hex.toLowerCase()),
  'as a form': (secret) => new URLSearchParams({ p: secret }).toString().slice(2),
  'as JSON': (secret) => JSON.stringify(secret).slice(1, -1),
  'as JSON in JSON': (secret) => JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1),
  'as ASCII JSON': (secret) =>
    JSON.stringify(secret)
      .slice(1, -1)
      .replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
  'as JSON with escaped slashes': (secret) => JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/'),
  'as base64': (secret) => Buffer.from(secret).toString('base64'),
  'as base64url': (secret) => Buffer.from(secret).toString('base64url'),
  'quoted for a shell': (secret) => secret.replaceAll("'", `'\\''`),
  'quoted for SQL': (secret) => secret.replaceAll("'", "''"),
  'as XML': (secret) => secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
  'as HTML': (secret) => writers['as XML']?.(secret).replaceAll('"', '&quot;').replaceAll("'", '&#39;') ?? '',
};

describe('the redactor', () => {
  for (const secret of nasty) {
    for (const [how, write] of Object.entries(writers)) {
      it(`takes out ${JSON.stringify(secret.slice(0, 30))} written ${how}`, () => {
        const redactor = createRedactor();
        redactor.add(secret);
        assert.equal(redactor.redact(`before ${write(secret)} after`), 'before [redacted] after');
        assert.equal(redactor.redact(`w${write(secret)}y${write(secret)}`), 'w[redacted]y[redacted]');
      });
    }

    it(`takes out ${JSON.stringify(secret.slice(0, 30))} from a login that was encoded with its user`, () => {
      for (const user of ['', 'a', 'ab', 'abc']) {
        const redactor = createRedactor();
        redactor.add(secret);
        const login = Buffer.from(`${user}:${secret}@`).toString('base64');
        const left = redactor.redact(`Basic ${login}`).replace('Basic ', '').split('[redacted]');
        assert.equal(left.length, 2);
        // What stays encodes the user, and of the secret at most the bits that share a character with its neighbours.
        const readable = left.map((part) => Buffer.from(part, 'base64').toString('latin1')).join('');
        assert.ok(!readable.includes(secret.slice(0, 3)) && !readable.includes(secret.slice(-3)), readable);
      }
    });
  }

  it('takes out every line of a secret of several lines, wherever a tool cuts it', () => {
    const redactor = createRedactor();
    redactor.add('-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7\nq9Zf2Lx0oYw1\n-----END KEY-----\n');
    assert.equal(redactor.redact('tool: cannot parse "MIIEpAIBAAKCAQEA7"'), 'tool: cannot parse "[redacted]"');
    assert.equal(redactor.redact('line 3: q9Zf2Lx0oYw1'), 'line 3: [redacted]');
  });

  it('takes out a secret of less than four characters only as a word of its own', () => {
    const redactor = createRedactor();
    for (const secret of ['pw', '', '  ', '\n']) redactor.add(secret);
    assert.equal(redactor.redact('pwd=pw, "pw" spwx pw'), 'pwd=[redacted], "[redacted]" spwx [redacted]');
    assert.equal(redactor.redact(' \n '), ' \n ');
  });

  it('takes out overlapping secrets as a whole', () => {
    const redactor = createRedactor();
    for (const secret of ['abcdef', 'defghi', 'abcd']) redactor.add(secret);
    assert.equal(redactor.redact('xxabcdefghiyy abcdabcd'), 'xx[redacted]yy [redacted][redacted]');
  });

  it('leaves a text without secrets as it is', () => {
    const redactor = createRedactor();
    redactor.add('correct horse');
    for (const text of ['', 'correct', 'https://example.org/a?b=c@d', 'mail a@b.org', 'user@host:/path']) {
      assert.equal(redactor.redact(text), text);
    }
  });

  it('knows the password and the path of a secret that is a URL', () => {
    const redactor = createRedactor();
    redactor.add('https://hooks.slack.com/services/T0001/B0002/abcdefgh');
    redactor.add('smtps://me:p%40ss%2Fword@mail.example.org');
    assert.equal(redactor.redact('POST /services/T0001/B0002/abcdefgh 404'), 'POST [redacted] 404');
    assert.equal(redactor.redact('535 p@ss/word refused'), '535 [redacted] refused');
    assert.equal(redactor.redact('POST /hook 404'), 'POST /hook 404');
  });

  it('lets no known secret survive in random company (fault 95)', () => {
    const random = generator(95);
    const alphabet = `abcXYZ019 '"\`$%\\/&?#@:=+<>{}[]()|.,;-_\t\n\r\u0001äß密🔑`;
    for (let round = 0; round < 400; round++) {
      const redactor = createRedactor();
      const secrets = Array.from({ length: 1 + random(3) }, () => randomText(random, alphabet, 4 + random(24)));
      for (const secret of secrets) redactor.add(secret);
      const writersInUse = Object.values(writers);
      const parts = secrets.flatMap((secret) => [
        randomText(random, alphabet, random(20)),
        writersInUse[random(writersInUse.length)]?.(secret) ?? secret,
        randomText(random, alphabet, random(20)),
        secret,
      ]);
      const redacted = redactor.redact(parts.join(''));
      for (const secret of secrets.filter((each) => each.trim().length >= 4)) {
        for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) {
          assert.ok(!redacted.includes(form), `${JSON.stringify(form)} survived in ${JSON.stringify(redacted)}`);
        }
      }
    }
  });

  it('is quick on long texts, hostile ones too', () => {
    const redactor = createRedactor();
    for (const secret of nasty) redactor.add(secret);
    const started = performance.now();
    for (const piece of ['a', 'a://', '://', 'a://b:', '@', 'a://b:c@', 'x'.repeat(299), '%']) {
      redactor.redact(piece.repeat(200_000 / piece.length));
    }
    assert.ok(performance.now() - started < 20_000);
  });
});

describe('the user part of a URL', () => {
  const cases: Readonly<Record<string, string>> = {
    'postgres://shop:hunter2@db:5432/shop': 'postgres://[redacted]@db:5432/shop',
    'error: mysql://root:p@ss@db/x failed': 'error: mysql://[redacted]@db/x failed',
    'redis://:secret@cache:6379': 'redis://[redacted]@cache:6379',
    'redis://:se/cret@cache:6379/0': 'redis://[redacted]@cache:6379/0',
    'https://token@github.com/x': 'https://[redacted]@github.com/x',
    '"dsn":"amqp://u:p@mq","x":1': '"dsn":"amqp://[redacted]@mq","x":1',
    'a://u:p@h/ b://u:p@h/': 'a://[redacted]@h/ b://[redacted]@h/',
    'via=a://u:p@h/x?to=b://v:q@i/': 'via=a://[redacted]@h/x?to=b://[redacted]@i/',
    's3://bucket/prefix?endpoint=https://k:s@host': 's3://bucket/prefix?endpoint=https://[redacted]@host',
    'http://host:8080/a@b': 'http://host:8080/a@b',
    'http://[::1]:80/@scope/x': 'http://[::1]:80/@scope/x',
    'https://example.org/@user': 'https://example.org/@user',
    'no url at all: a@b': 'no url at all: a@b',
  };
  for (const [text, redacted] of Object.entries(cases)) {
    it(`of ${text} is handled`, () => assert.equal(withoutUserinfo(text), redacted));
  }
});

function randomText(random: (below: number) => number, alphabet: string, length: number): string {
  const letters = [...alphabet];
  return Array.from({ length }, () => letters[random(letters.length)]).join('');
}

/** The same numbers in every run, so that a failure can be repeated. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
