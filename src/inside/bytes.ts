/**
 * Names of files are bytes, and need not be UTF-8. In these programs they are strings with a character per byte, so that
 * nothing is lost and they can still be compared, cut and put into maps.
 */
export type Name = string;

export function toBytes(name: Name): Buffer {
  return Buffer.from(name, 'latin1');
}

export function fromBytes(bytes: Buffer): Name {
  return bytes.toString('latin1');
}

/** As people read it; what is no UTF-8 becomes U+FFFD. */
export function toText(name: Name): string {
  return toBytes(name).toString('utf8');
}

export function fromText(text: string): Name {
  return fromBytes(Buffer.from(text));
}
