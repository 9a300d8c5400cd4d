import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { EngineContext } from './engine-context.js';
import { toFilename } from './file-name.js';
import { mediaTypeOf } from './file-type.js';
import type { CreateCommand, FileDescription } from './upload-commands.js';
import { admitName } from './upload-policy.js';

/** How far a creating request has come. */
interface Stage<Entity> {
  /** Whether all is told; before, only what can change no more is refused. */
  readonly isFinal: boolean;
  /** The row, once it is there. */
  readonly draft: Entity | null;
}

/** The columns a description stands for, admitted: name, type and owner, and what `beforeCreate` adds. */
export async function describeDraft<Entity extends AbstractChunkedUpload>(
  { policy, hooks, repositories }: EngineContext<Entity>,
  { caller, window, columns = {} }: CreateCommand,
  description: FileDescription,
  { isFinal, draft }: Stage<Entity>,
): Promise<Partial<Entity>> {
  const filename = toFilename(description.filename ?? '', policy.maxFilenameBytes);
  const contentType = mediaTypeOf(description.contentType, filename);
  const { owner } = description;
  if (isFinal || description.isNameFinal) admitName(caller.limits, filename, contentType);
  if (owner) await policy.admitOwner(owner, caller);
  const told = { filename, contentType, ownerType: owner?.type ?? null, ownerId: owner?.id ?? null };
  const own = withoutOwnColumns(columns);
  // Without columns that only the hook knows there may be no row, and so it cannot wait until all is told.
  const isDue = repositories.required.some(isNotOurs) ? !draft || differs(draft, told) : isFinal;
  if (!isDue || !hooks.beforeCreate) return { ...own, ...told } as Partial<Entity>;
  const known = { ...told, size: window?.total ?? null, userId: caller.userId };
  const added = await hooks.beforeCreate(known, caller);
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
  return Object.fromEntries(Object.entries(columns).filter(([name]) => isNotOurs(name)));
}

function isNotOurs(name: string): boolean {
  return !Object.hasOwn(OWN_COLUMNS, name);
}

/** Whether any of `columns` has another value than `upload`. */
export function differs(upload: object, columns: object): boolean {
  return Object.entries(columns).some(([name, value]) => Reflect.get(upload, name) !== value);
}
