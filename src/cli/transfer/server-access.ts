import { type Command, InvalidArgumentError } from 'commander';
import { UsageError } from '../exit-code.js';

/** Request headers by name. */
export type Headers = Readonly<Record<string, string>>;

/** How a caller says who they are. */
export interface AccessFlags {
  readonly header?: readonly string[];
  readonly user?: string;
  readonly bearer?: string;
}

/** An address without the credentials that stood in it, and the headers that carry them. */
export interface ServerAddress {
  readonly url: URL;
  readonly headers: Headers;
  /** Who is calling, as far as a name says; null without one. */
  readonly userName: string | null;
}

/** A field name (RFC 9110, section 5.1) and a value that Node sends as it is. */
const HEADER_LINE = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;

/** Adds the options by which a caller says who they are. */
export function addAccessOptions(command: Command): Command {
  return command
    .option('-H, --header <line>', "sent with every request, like 'X-Api-Key: …'; repeatable", collectHeader)
    .option(
      '-u, --user <name:password>',
      'for Basic authentication; better in CHUNKED_UPLOAD_USER, as other people on this machine can see arguments',
    )
    .option('--bearer <token>', 'for Bearer authentication; better in CHUNKED_UPLOAD_TOKEN');
}

/**
 * Reads an address and says with which headers to go there: those given, and credentials by `--user` or `--bearer`, else
 * from the address, else from CHUNKED_UPLOAD_USER or CHUNKED_UPLOAD_TOKEN.
 * @throws UsageError for an address that is none, and for credentials of both kinds.
 */
export function serverAddress(text: string, flags: AccessFlags, env: NodeJS.ProcessEnv): ServerAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`${text} is no address; write it like https://example.com/upload.`);
  }
  if (flags.user !== undefined && flags.bearer !== undefined) {
    throw new UsageError('Say who you are by --user or by --bearer, not by both.');
  }
  const inAddress = url.username === '' ? undefined : `${decoded(url.username)}:${decoded(url.password)}`;
  url.username = '';
  url.password = '';
  url.hash = '';
  const { user, bearer } = credentials(flags, inAddress, env);
  return {
    url,
    headers: {
      ...(bearer !== undefined && { Authorization: `Bearer ${bearer}` }),
      ...(user !== undefined && { Authorization: `Basic ${Buffer.from(user).toString('base64')}` }),
      ...Object.fromEntries((flags.header ?? []).map(headerIn)),
    },
    userName: user === undefined ? null : user.slice(0, user.indexOf(':')),
  };
}

function credentials(
  { user, bearer }: AccessFlags,
  inAddress: string | undefined,
  env: NodeJS.ProcessEnv,
): { user?: string; bearer?: string } {
  if (bearer !== undefined) return { bearer: token(bearer, '--bearer') };
  const given = user ?? inAddress;
  if (given !== undefined) return { user: nameAndPassword(given, '--user') };
  if (env.CHUNKED_UPLOAD_TOKEN && env.CHUNKED_UPLOAD_USER) {
    throw new UsageError('CHUNKED_UPLOAD_USER and CHUNKED_UPLOAD_TOKEN are both set; unset one.');
  }
  if (env.CHUNKED_UPLOAD_TOKEN) return { bearer: token(env.CHUNKED_UPLOAD_TOKEN, 'CHUNKED_UPLOAD_TOKEN') };
  if (!env.CHUNKED_UPLOAD_USER) return {};
  return { user: nameAndPassword(env.CHUNKED_UPLOAD_USER, 'CHUNKED_UPLOAD_USER') };
}

function nameAndPassword(value: string, source: string): string {
  if (/^[^:]+:/.test(value)) return value;
  throw new UsageError(`${source} has to be a name and a password with a colon between.`);
}

function token(value: string, source: string): string {
  if (/^[\x21-\x7e]+$/.test(value)) return value;
  throw new UsageError(`${source} has to be one word of ASCII characters.`);
}

function collectHeader(value: string, before: readonly string[] | undefined): readonly string[] {
  if (!HEADER_LINE.test(value)) {
    throw new InvalidArgumentError("Write a header like 'Name: value', without characters beyond Latin-1.");
  }
  return [...(before ?? []), value];
}

function headerIn(line: string): [name: string, value: string] {
  const [, name = '', value = ''] = HEADER_LINE.exec(line) ?? [];
  // Spelt in one way, so that it replaces what credentials made.
  return [name.toLowerCase() === 'authorization' ? 'Authorization' : name, value];
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
