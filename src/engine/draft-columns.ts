import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { EngineContext } from './engine-context.js';
import { toFilename } from './file-name.js';
import { mediaTypeOf } from './file-type.js';
import type { CreateCommand, FileDescription } from './upload-commands.js';
import { admitName } from './upload-policy.js';

/**
 * The columns a description stands for, admitted: name, type and owner, and what `beforeCreate` adds.
 * @param isFinal whether all is told; before, only what can change no more is refused, and no hook runs.
 */
export async function describeDraft<Entity extends AbstractChunkedUpload>(
  { policy, hooks }: EngineContext<Entity>,
  { caller, window, columns = {} }: CreateCommand,
  description: FileDescription,
  isFinal: boolean,
): Promise<Partial<Entity>> {
  const filename = toFilename(description.filename ?? '', policy.maxFilenameBytes);
  const contentType = mediaTypeOf(description.contentType, filename);
  const { owner } = description;
  if (isFinal || description.isNameFinal) admitName(caller.limits, filename, contentType);
  if (owner) await policy.admitOwner(owner, caller);
  const told = { filename, contentType, ownerType: owner?.type ?? null, ownerId: owner?.id ?? null };
  const own = withoutOwnColumns(columns);
  if (!isFinal || !hooks.beforeCreate) return { ...own, ...told } as Partial<Entity>;
  const draft = { ...told, size: window?.total ?? null, userId: caller.userId };
  const added = await hooks.beforeCreate(draft, caller);
  return { ...own, ...withoutOwnColumns(added ?? {}), ...told } as Partial<Entity>;
}

/** What a hook may not set: the engine keeps these. */
const OWN_COLUMNS: Readonly<Record<Exclude<keyof AbstractChunkedUpload, 'metadata'>, true>> = {
  id: true,
  filename: true,
  contentType: true,
  size: true,
  offset: true,
  status: true,
  userId: true,
  ownerType: true,
  ownerId: true,
  checksums: true,
  digestState: true,
  storageKey: true,
  storageState: true,
  idempotencyKey: true,
  completionResult: true,
  leaseToken: true,
  leaseExpiresAt: true,
  leaseHolder: true,
  generation: true,
  createdAt: true,
  updatedAt: true,
  completedAt: true,
  expiresAt: true,
};

function withoutOwnColumns(columns: object): object {
  return Object.fromEntries(Object.entries(columns).filter(([name]) => !Object.hasOwn(OWN_COLUMNS, name)));
}

/** Whether any of `columns` has another value than `upload`. */
export function differs<Entity extends object>(upload: Entity, columns: Partial<Entity>): boolean {
  return Object.entries(columns).some(([name, value]) => upload[name as keyof Entity] !== value);
}
