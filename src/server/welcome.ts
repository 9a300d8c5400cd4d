import type { AddressInfo } from 'node:net';
import { RunningDigest } from '../engine/running-digest.js';
import { describeDatabase } from './database-failure.js';
import type { ServerEnvironment } from './environment.js';
import { DOCS_PATH } from './openapi.js';

const CHUNKS = ['hello', ' world'] as const;
const EXAMPLE = Buffer.from(CHUNKS.join(''));

/** What the terminal shows once the server listens: where, with what, and what to type next. */
export async function describeServer(
  environment: ServerEnvironment,
  { port }: AddressInfo,
  databaseUrl: string,
): Promise<string> {
  const origin = `http://${displayHost(environment.host)}:${port}`;
  const docs = environment.adapter === 'express' ? DOCS_PATH : `${DOCS_PATH}-json`;
  const { host, name } = describeDatabase(databaseUrl);
  return [
    `Listening on ${origin}`,
    '',
    `  Data       ${environment.dataDirectory}`,
    `  Database   ${environment.databaseUrl === undefined ? `embedded PostgreSQL on ${host}` : `${name} on ${host}`}`,
    ...(environment.doors.includes('rest') ? [`  Page       ${origin}/`] : []),
    `  API        ${origin}/${docs}`,
    `  Board      ${describeBoard(environment, origin)}`,
    `  Access     ${describeAccess(environment)}`,
    `  Settings   npm start -- --help`,
    '',
    ...(await describeExample(environment, origin)),
    '',
    'Ctrl-C stops the server; everything received so far is kept.',
  ].join('\n');
}

function displayHost(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function describeAccess({ access }: ServerEnvironment): string {
  const makeKey = 'npm run chunked-upload -- keys create --user ann';
  switch (access.by) {
    case 'anonymous':
      return 'everybody who reaches this port; to restrict it: CHUNKED_UPLOAD_USERS=ann:secret npm start';
    case 'basic':
      return `HTTP Basic: ${[...access.users.keys()].join(', ')}`;
    case 'api-key':
      return `API keys; to make one: ${makeKey}`;
    case 'signed':
      return `urls signed with an API key (docs/access.md); to make one: ${makeKey}`;
    case 'external':
      return `whom ${new URL(access.url).origin} knows`;
  }
}

function describeBoard({ admin }: ServerEnvironment, origin: string): string {
  if (!admin) return 'off; to turn it on: CHUNKED_UPLOAD_ADMINS=root:secret npm start';
  return `${origin}/admin/uploads, for ${[...admin.users.keys()].join(', ')}`;
}

/** A whole upload in two chunks, for a shell; what it sends passes the limits that are set. */
async function describeExample(environment: ServerEnvironment, origin: string): Promise<string[]> {
  const { access, doors } = environment;
  if (access.by === 'signed' || access.by === 'external' || !doors.includes('rest')) {
    return ['How to sign in and what to send: docs/access.md, docs/form-post.md, and the API page.'];
  }
  if (!isExampleAllowed(environment)) {
    return [
      'Try it as the API page says; the limits that are set rule out the usual example of 11 bytes of text.',
    ];
  }
  const { allowedExtensions, checksum } = environment.upload;
  const extension = (allowedExtensions?.[0] ?? 'txt').replace(/^\./, '');
  const curl = `curl -sS${signInOption(environment)}`;
  const chunk = (start: number, bytes: string): string =>
    `-H 'Content-Range: bytes ${start}-${start + bytes.length - 1}/${EXAMPLE.length}' --data-binary '${bytes}'`;
  const [first, second] = CHUNKS;
  const readId = `sed 's/.*"id":"\\([^"]*\\)".*/\\1/'`;
  return [
    'Try it: a file in two chunks, completed with its checksum, and read back.',
    '',
    `  id=$(${curl} -X PUT '${origin}/upload?filename=hello.${extension}' ${chunk(0, first)} | ${readId})`,
    `  ${curl} -X PUT ${origin}/upload/$id ${chunk(first.length, second)}`,
    `  ${curl} ${origin}/upload/$id -H 'Content-Type: application/json' -d '${await checksumBody(checksum)}'`,
    `  ${curl} ${origin}/upload/$id/content`,
  ];
}

function signInOption({ access }: ServerEnvironment): string {
  if (access.by === 'api-key') return ' -H "Authorization: ApiKey ann:$KEY"';
  if (access.by !== 'basic') return '';
  const [user = ''] = access.users.keys();
  // Without a password, curl asks for it.
  return ` -u '${user.replaceAll("'", "'\\''")}'`;
}

function isExampleAllowed({ upload }: ServerEnvironment): boolean {
  const { minBytes = 0, maxBytes = Infinity, maxChunkBytes = Infinity, maxFilenameBytes = Infinity } = upload;
  const isSizeAllowed = EXAMPLE.length >= Number(minBytes) && EXAMPLE.length <= Number(maxBytes);
  const isNameAllowed = maxFilenameBytes >= 'hello.'.length + (upload.allowedExtensions?.[0] ?? 'txt').length;
  const isTypeAllowed = upload.allowedMimeTypes?.some((type) => /^text\/(plain|\*)$/.test(type)) ?? true;
  return isSizeAllowed && isNameAllowed && isTypeAllowed && Number(maxChunkBytes) >= CHUNKS[1].length;
}

async function checksumBody(checksum: ServerEnvironment['upload']['checksum'] = 'md5'): Promise<string> {
  const [algorithm] = [checksum].flat();
  if (!algorithm) return '{}';
  const digest = await RunningDigest.start([algorithm]);
  digest.update([EXAMPLE]);
  const checksums = digest.finish();
  digest.release();
  return JSON.stringify(checksums);
}
