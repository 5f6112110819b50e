import { existsHint, goneHint } from '../domain/advice.ts';
import { asLifeboatError, LifeboatError } from '../domain/errors.ts';

/** What an error of the S3 client tells, whatever its class. */
interface S3Failure {
  readonly name: string;
  readonly message: string;
  readonly status: number | undefined;
  /** Of the network, by the system's name. */
  readonly code: string | undefined;
  readonly serverDate: Date | undefined;
}

const passing = new Set([
  ...['SlowDown', 'Throttling', 'ThrottlingException', 'TooManyRequests', 'RequestLimitExceeded', 'InternalError'],
  ...['ServiceUnavailable', 'RequestTimeout', 'TimeoutError', 'OperationAborted', 'ConditionalRequestConflict'],
  // The bytes arrived damaged, or the connection cut them: the same bytes may well arrive.
  ...['BadDigest', 'XAmzContentChecksumMismatch', 'XAmzContentSHA256Mismatch', 'IncompleteBody'],
]);
const network =
  /^(E(CONNRESET|CONNREFUSED|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN|CONNABORTED)|ERR_STREAM_PREMATURE_CLOSE)$/;
const tls = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ALTNAME|ERR_TLS|ERR_SSL|EPROTO/;

/** An error of the S3 client, told in our words. `what` says what was being done, to which object. */
export function s3Error(error: unknown, what: string, bucket: string, signal: AbortSignal): LifeboatError {
  if (error instanceof LifeboatError) return error;
  if (signal.aborted) return asLifeboatError(signal.reason);
  const failure = failureOf(error);
  const { name, message, status, code } = failure;
  const details = { context: { name, status, code, bucket }, cause: error };
  const said = new Set([code, name, message].filter((word) => word && word !== 'Error' && word !== 'UnknownError'));
  const words = `cannot ${what} in bucket ${bucket}: ${said.size > 0 ? [...said].join(': ') : `status ${status}`}`;
  if (name === 'PreconditionFailed' || status === 412)
    return new LifeboatError('OBJECT_EXISTS', words, { ...details, hint: existsHint });
  if (['NoSuchKey', 'NoSuchUpload', 'NotFound'].includes(name))
    return new LifeboatError('OBJECT_NOT_FOUND', words, { ...details, hint: goneHint });
  if (/QuotaExceeded|StorageFull|InsufficientStorage|InsufficientCapacity/.test(name) || status === 507) {
    const hint =
      'raise the quota of the bucket, or remove old backups there, manifest.json first; those that are there were not touched';
    return new LifeboatError('STORE_FULL', words, { ...details, hint });
  }
  const isSkewed = name === 'RequestTimeTooSkewed' || name === 'RequestExpired';
  const retryable =
    passing.has(name) || isSkewed || status === 429 || (status ?? 0) >= 500 || network.test(code ?? '')
      ? status !== 501
      : false;
  return new LifeboatError('STORE_UNAVAILABLE', words, { ...details, retryable, hint: hintFor(failure, bucket) });
}

function failureOf(error: unknown): S3Failure {
  const { name, message, code, $metadata, $response } = error as {
    name?: string;
    message?: string;
    code?: unknown;
    $metadata?: { httpStatusCode?: number };
    $response?: { headers?: Record<string, string> };
  };
  const date = new Date($response?.headers?.date ?? Number.NaN);
  return {
    name: name ?? 'Error',
    message: message ?? String(error),
    status: $metadata?.httpStatusCode,
    code: typeof code === 'string' ? code : undefined,
    serverDate: Number.isNaN(date.getTime()) ? undefined : date,
  };
}

function hintFor({ name, message, status, code, serverDate }: S3Failure, bucket: string): string {
  switch (name) {
    case 'NoSuchBucket':
      return `create the bucket "${bucket}", or correct its name, the region or the endpoint`;
    case 'InvalidAccessKeyId':
      return 'the server does not know this access key: is it complete, and meant for this endpoint?';
    case 'SignatureDoesNotMatch':
      return 'the secret key does not belong to the access key, or was cut or extended (a newline?) on its way';
    case 'ExpiredToken':
    case 'ExpiredTokenException':
    case 'TokenRefreshRequired':
    case 'InvalidToken':
      return 'the temporary credentials have expired or were revoked: renew them';
    case 'RequestTimeTooSkewed':
    case 'RequestExpired':
      return `the clocks differ${skewOf(serverDate)}: set this machine's clock (NTP)`;
    case 'CredentialsProviderError':
      return 'no credentials were found: set the key variables of this destination, or AWS_*, or give the machine a role';
    case 'InvalidObjectState':
      return 'the object lies in an archive tier: have it restored there first, then try again';
    case 'AuthorizationHeaderMalformed':
    case 'PermanentRedirect':
    case 'IllegalLocationConstraintException':
      return "the bucket lies in another region: correct `region=` in the destination's URL";
  }
  if (/region is missing/i.test(message)) return "add `region=…` to the destination's URL";
  if (code !== undefined && tls.test(code)) {
    return code === 'EPROTO' || /wrong version number/.test(message)
      ? 'the endpoint does not speak TLS there: http:// instead of https://, or another port?'
      : "the endpoint's certificate is not trusted: mount the PEM file of its CA into the sidecar and name it in NODE_EXTRA_CA_CERTS";
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return 'the endpoint has no address: is the name right, does DNS work here?';
  if (code !== undefined && network.test(code)) return 'is the endpoint right, and reachable from this container?';
  if (name === 'AccessDenied' || status === 403) {
    return `the key lacks a right on "${bucket}": it needs s3:ListBucket, s3:ListBucketMultipartUploads, s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload; an object lock refuses removal as well`;
  }
  return 'these are the words of the server: its log, or its operator, knows more; lifeboat doctor tries every request';
}

function skewOf(serverDate: Date | undefined): string {
  if (serverDate === undefined) return '';
  const seconds = Math.round((Date.now() - serverDate.getTime()) / 1000);
  const way = seconds < 0 ? 'behind' : 'ahead of';
  return `: this machine is ${Math.abs(seconds)} s ${way} the server (${serverDate.toISOString()})`;
}
