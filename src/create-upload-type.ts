import { Logger, type Type } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { ownerAdmission } from './access/owner-admission.js';
import { ActiveWrites } from './engine/active-writes.js';
import { LeaseHolder } from './engine/lease-holder.js';
import { UploadEngine } from './engine/upload-engine.js';
import type { UploadHooks } from './engine/upload-hooks.interface.js';
import { UploadEvents } from './events/upload-events.js';
import type { AbstractChunkedUpload } from './persistence/abstract-chunked-upload.entity.js';
import { LeaseRequests } from './persistence/lease-requests.js';
import { UploadRepositories } from './persistence/upload-repositories.js';
import { resolveSettings } from './resolve-options.js';
import { LocalStorage } from './storage/local/local.driver.js';
import type { UploadSettings, UploadShape } from './upload-options.js';
import { UploadType } from './upload-type.js';

/** Puts an upload type together: the only place that names engine, repositories and a concrete driver at once. */
export function createUploadType<Entity extends AbstractChunkedUpload>(
  entity: Type<Entity>,
  shape: Pick<UploadShape, 'guards'>,
  settings: UploadSettings<Entity>,
  dataSource: DataSource,
): UploadType<Entity> {
  const { policy, door } = resolveSettings(settings as UploadSettings, shape);
  const logger = new Logger('ChunkedUpload');
  const engine = new UploadEngine<Entity>({
    repositories: new UploadRepositories(dataSource, entity),
    driver: settings.storage ?? new LocalStorage({ root: 'chunked_uploads' }),
    policy: { ...policy, admitOwner: ownerAdmission(settings.owners ?? {}, dataSource) },
    hooks: settings as UploadHooks<Entity>,
    events: new UploadEvents<Entity>((error) => logger.error('A listener of upload events failed', error)),
    active: new ActiveWrites(),
    requests: new LeaseRequests(dataSource),
    holder: new LeaseHolder(),
  });
  return new UploadType(entity.name, engine, door);
}
