import type { EnvironmentValues } from './environment.ts';
import type { FileValues } from './file.ts';
import { byDefault, labelText, type Origin } from './origin.ts';
import { type Problem, problem } from './problems.ts';
import { DestinationKeys } from './schema.ts';
import type { Secret } from './secret.ts';
import { type Rows, settle, typed } from './settle.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A named place for backups. */
export interface Destination {
  readonly name: string;
  /** `file:///path` or `s3://bucket/prefix?…`; never holds login data. */
  readonly url: string;
  readonly scheme: 'file' | 's3';
  /** The S3 login that was set; undefined means the default chain of the AWS SDK. */
  readonly login:
    | { readonly accessKeyId: Secret; readonly secretAccessKey: Secret; readonly sessionToken?: Secret }
    | undefined;
  /** A run that cannot store here has failed. */
  readonly isRequired: boolean;
}

/** The destinations of all carriers, and what is wrong with them. */
export interface Destinations {
  readonly usable: readonly Destination[];
  /** Names that were configured, also those that cannot be used. */
  readonly names: readonly string[];
  readonly rows: ReadonlyMap<string, Rows>;
  readonly problems: readonly Problem[];
}

const reserved = ['all', 'none'];
const loginKeys = ['access-key-id', 'secret-access-key', 'session-token'];

/** The destinations of all carriers. `isComplete` is false where files that variables name could not be read. */
export function readDestinations(
  environment: EnvironmentValues,
  file: FileValues,
  vocabulary: Vocabulary,
  isComplete: boolean,
): Destinations {
  const names = [...new Set([...environment.destinations.keys(), ...file.destinations.keys()])].sort();
  const rows = new Map<string, Rows>();
  const problems: Problem[] = [];
  const usable: Destination[] = [];
  for (const name of names) {
    const layers = [environment.destinations.get(name), file.destinations.get(name)].filter(
      (layer) => layer !== undefined,
    );
    const isS3 = layers.some((layer) => String(layer.get('url')?.value ?? '').startsWith('s3:'));
    // A login comes from one place: our key id with the secret of AWS_… would be nobody's.
    const hasLogin = layers.some((layer) => loginKeys.some((key) => layer.has(key)));
    const all = isS3 && !hasLogin ? [...layers, environment.awsLogin] : layers;
    const settled = settle(vocabulary.destination.values(), all, new Map(), {});
    rows.set(name, settled.rows);
    problems.push(...settled.problems);
    const { destination, complaint } = build(name, settled.rows);
    if (destination) usable.push(destination);
    // What is wrong with a value was said already; here it is about values that are missing.
    else if (complaint !== undefined && settled.problems.length === 0 && isComplete) {
      const [first] = layers.flatMap((layer) => [...layer.values()]);
      problems.push(broken(name, complaint, first?.origin ?? byDefault));
    }
  }
  if (names.length === 0) problems.push(nothingSet());
  return { usable, names, rows, problems };
}

// --- utils ---

function build(name: string, rows: Rows): { destination?: Destination; complaint?: string } {
  const values = typed(DestinationKeys, rows);
  const {
    url,
    required,
    'access-key-id': accessKeyId,
    'secret-access-key': secretAccessKey,
    'session-token': sessionToken,
  } = values;
  if (reserved.includes(name) || !/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) {
    return { complaint: 'cannot be called so: names are letters, digits and -, and not "all" or "none"' };
  }
  if (url === undefined) return { complaint: 'has no URL' };
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    return {
      complaint: `has only one half of its login: ${accessKeyId ? 'secret-access-key' : 'access-key-id'} is missing`,
    };
  }
  const login = accessKeyId &&
    secretAccessKey && { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
  return { destination: { name, url, scheme: url.startsWith('s3:') ? 's3' : 'file', login, isRequired: required } };
}

function broken(name: string, complaint: string, origin: Origin): Problem {
  return problem({
    severity: 'error',
    effect: 'cannot-start',
    origin,
    key: 'url',
    message: `destination ${labelText(name)} ${complaint}`,
  });
}

function nothingSet(): Problem {
  return problem({
    severity: 'error',
    effect: 'cannot-start',
    origin: byDefault,
    key: 'url',
    message: 'no destination is set, so there is nowhere to store backups',
    hint: 'Set LIFEBOAT_DEST_LOCAL_URL=file:///backups in the environment of the sidecar',
  });
}
