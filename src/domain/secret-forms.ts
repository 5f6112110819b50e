/** A shorter piece of base64 would be found in ordinary words. */
const shortestPiece = 4;
/** `/hook` is in many logs, `/services/T000/B000/XXXX` is the secret itself. */
const shortestTellingPath = 16;

/** How a program writes this text: as it is, URL-encoded, and escaped for JSON (also twice), shell, SQL and XML. */
export function formsOf(secret: string): ReadonlySet<string> {
  const url = encodeURIComponent(secret.toWellFormed());
  const loose = encodeURI(secret.toWellFormed());
  // encodeURIComponent leaves these as they are; other encoders do not.
  const strictUrl = url.replace(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams({ '': secret.toWellFormed() }).toString().slice(1);
  const urls = [form, ...[url, strictUrl, loose].flatMap((each) => [each, each.replaceAll('%20', '+')])];
  const json = inJson(secret);
  const ascii = json.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return new Set([
    secret,
    ...urls,
    ...urls.map((each) => each.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase())),
    json,
    ascii,
    json.replaceAll('/', '\\/'),
    inJson(json),
    inJson(ascii),
    secret.replaceAll("'", `'\\''`),
    secret.replaceAll("'", "''"),
    secret.replaceAll("'", "\\'").replaceAll('\n', '\\n'),
    ...xmlForms(secret),
  ]);
}

/**
 * The base64 of the secret wherever it stands in an encoded text: three alignments, each without the characters at its
 * ends that also depend on the neighbours. `Basic dXNlcjpwYXNz` is found by its password alone.
 */
export function base64Forms(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const aligned = [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const first = Math.ceil((before * 8) / 6);
    const certain = encoded.slice(first, Math.floor(((before + bytes.length) * 8) / 6));
    return certain.length < shortestPiece ? [] : [certain, certain.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [bytes.toString('base64'), bytes.toString('base64url'), ...aligned];
}

/** Of a secret that is a URL (a webhook, a DSN) the parts that give it away alone: its password, its path. */
export function partsOfUrl(secret: string): readonly string[] {
  const url = URL.parse(secret);
  if (!url) return [];
  const path = url.pathname + url.search;
  return [url.password, ...decoded(url.password), path.length >= shortestTellingPath ? path : ''].filter(
    (part) => part !== '',
  );
}

// --- utils ---

function decoded(text: string): readonly string[] {
  try {
    return [decodeURIComponent(text)];
  } catch {
    // A stray % means that it was never encoded: the text itself is the password then.
    return [];
  }
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Escapers agree on & < > and disagree on quotes. */
function xmlForms(text: string): readonly string[] {
  const bare = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const quoted = bare.replaceAll('"', '&quot;');
  return [bare, quoted, ...['&apos;', '&#39;', '&#x27;'].map((mark) => quoted.replaceAll("'", mark))];
}
