import type { DataSource, ObjectLiteral } from 'typeorm';
import type { HookContext } from '../engine/upload-hooks.interface.js';
import type { Owner } from '../engine/upload-policy.js';
import { UploadError } from '../errors/upload-error.js';
import { databaseFailure } from '../persistence/database-failure.js';
import type { OwnerTable } from '../persistence/removal.repository.js';
import { quote, quotePath } from '../persistence/row-mapper.js';
import type { OwnerType } from '../upload-options.js';

/** SQLSTATE of an id that is none for its column: not a uuid, not a number, out of range. */
const NO_SUCH_VALUE = new Set(['22P02', '22003', '22023', '22007']);

/**
 * The rule who may attach uploads to what: listed types only, the row must be there, and the app's `authorize` must
 * agree. All three refusals look alike, so that nobody finds out which rows exist.
 */
export function ownerAdmission(
  owners: Readonly<Record<string, OwnerType>>,
  dataSource: DataSource,
): (owner: Owner, context: HookContext) => Promise<void> {
  const types = new Map(Object.entries(owners));
  return async ({ type, id }, context) => {
    const owner = types.get(type);
    const isAllowed =
      owner !== undefined &&
      (await rowExists(dataSource, owner, id)) &&
      (await isAuthorized(owner, id, context));
    if (!isAllowed) throw new UploadError('owner_not_allowed', 'Uploads cannot be attached to that owner.');
  };
}

/** The app's own code, which has no request, needs no leave of itself. */
async function isAuthorized(
  { authorize }: OwnerType,
  ownerId: string,
  context: HookContext,
): Promise<boolean> {
  if (!authorize || context.request === null) return true;
  const { userId, request } = context;
  return authorize({ userId, request, ownerId });
}

/** The tables whose rows take their uploads with them when they are deleted. */
export function followedOwners(
  owners: Readonly<Record<string, OwnerType>>,
  dataSource: DataSource,
): OwnerTable[] {
  return Object.entries(owners)
    .filter(([, { onDelete }]) => onDelete === 'delete')
    .map(([ownerType, { entity }]) => {
      const { tablePath, primaryColumns } = dataSource.getMetadata(entity);
      return {
        ownerType,
        table: quotePath(tablePath),
        key: quote(primaryColumns[0]?.databaseName ?? 'id'),
      };
    });
}

async function rowExists(dataSource: DataSource, { entity }: OwnerType, id: string): Promise<boolean> {
  // The database would refuse the byte, with an error that looks like ours.
  if (id.includes('\0')) return false;
  const repository = dataSource.getRepository<ObjectLiteral>(entity);
  const key = repository.metadata.primaryColumns[0]?.propertyName ?? 'id';
  try {
    const row = await repository.findOne({ where: { [key]: id }, select: { [key]: true } });
    // To the letter: a number column takes ' 1' and '01' for 1, and the row would keep what was sent.
    return row !== null && String(row[key]) === id;
  } catch (error) {
    const { code } = (error as { driverError?: { code?: string } }).driverError ?? {};
    if (code !== undefined && NO_SUCH_VALUE.has(code)) return false;
    throw databaseFailure(error);
  }
}
