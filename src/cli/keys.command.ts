import type { INestApplicationContext } from '@nestjs/common';
import { type Command, InvalidArgumentError } from 'commander';
import { isApiKeyId } from '../access/api-key.js';
import { type ApiKeyRecord, ApiKeyService } from '../access/api-key.service.js';
import { InvalidOptionError } from '../option-values.js';
import { CommandFailure, EXIT, EXIT_CODES_HELP, UsageError } from './exit-code.js';
import { type OpenApp, withApp } from './open-app.js';
import { parseDuration } from './option-parsers.js';
import { moment, table, visible } from './text.js';

interface CreateFlags {
  readonly user: string;
  readonly label?: string;
  readonly expiresIn?: number;
  readonly json?: boolean;
}

/** Adds `keys create`, `keys list` and `keys revoke`. Exits 1 in an app without API keys, and for an unknown key. */
export function addKeysCommand(program: Command, open: OpenApp): void {
  const keys = program.command('keys').description('API keys of UploadApiKeysModule');
  keys.addHelpText('after', EXIT_CODES_HELP);
  addCreate(keys, open);
  addList(keys, open);
  addRevoke(keys, open);
}

function addCreate(keys: Command, open: OpenApp): void {
  keys
    .command('create')
    .description('create a key and print it, here and never again')
    .requiredOption('--user <id>', 'whose uploads it opens')
    .option('--label <text>', 'a name for people')
    .option('--expires-in <duration>', "how long it works, e.g. '90d' (default: forever)", parseDuration)
    .option('--json', 'print { key, record }')
    .action(async ({ user, json, ...draft }: CreateFlags) => {
      const issued = await withApp(open, (app) =>
        serviceOf(app)
          .create({ userId: user, ...draft })
          .catch(asUsage),
      );
      console.log(json ? JSON.stringify(issued) : issued.key);
      if (!json)
        console.error(`Its id is ${issued.record.id}. Keep the key: it is not stored and not shown again.`);
    });
}

function addList(keys: Command, open: OpenApp): void {
  keys
    .command('list')
    .description('list keys, newest first, those that no longer work included')
    .option('--user <id>', 'only those of this user')
    .option('--json', 'print an array of JSON objects')
    .action(async ({ user, json }: { readonly user?: string; readonly json?: boolean }) => {
      const records = await withApp(open, (app) =>
        serviceOf(app).list(user === undefined ? {} : { userId: user }),
      );
      if (json) console.log(JSON.stringify(records));
      else console.log(records.length > 0 ? describe(records) : 'No keys.');
    });
}

function addRevoke(keys: Command, open: OpenApp): void {
  keys
    .command('revoke')
    .description('end a key for good, from the next request on')
    .argument('<id>', 'id of the key: what stands between the underscores', parseKeyId)
    .action(async (id: string) => {
      if (await withApp(open, (app) => serviceOf(app).revoke(id))) {
        console.log(`Revoked ${id}.`);
        return;
      }
      console.error(`There is no key ${id} in use.`);
      process.exitCode = EXIT.failure;
    });
}

function serviceOf(app: INestApplicationContext): ApiKeyService {
  try {
    return app.get(ApiKeyService, { strict: false });
  } catch (error) {
    throw new CommandFailure(
      'This app has no API keys. Add UploadApiKeysModule.forRoot() to its imports, and uploadApiKeyMigrations to its ' +
        'migrations; the reference server has them with CHUNKED_UPLOAD_AUTH=api-key or =signed.',
      { cause: error },
    );
  }
}

function asUsage(error: unknown): never {
  throw error instanceof InvalidOptionError ? new UsageError(error.message, { cause: error }) : error;
}

function parseKeyId(value: string): string {
  if (isApiKeyId(value)) return value;
  throw new InvalidArgumentError('Write the UUID of the key, as `keys list` shows it.');
}

function describe(records: readonly ApiKeyRecord[]): string {
  const at = (date: Date | null) => (date ? moment(date) : '-');
  return table(
    ['ID', 'USER', 'LABEL', 'CREATED', 'LAST USED', 'EXPIRES', 'REVOKED'],
    records.map(({ id, userId, label, createdAt, lastUsedAt, expiresAt, revokedAt }) => [
      id,
      visible(userId),
      visible(label),
      ...[createdAt, lastUsedAt, expiresAt, revokedAt].map(at),
    ]),
  );
}
