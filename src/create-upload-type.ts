import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { followedOwners, ownerAdmission } from './access/owner-admission.js';
import { ActiveWrites } from './engine/active-writes.js';
import { LeaseHolder } from './engine/lease-holder.js';
import { UploadEngine } from './engine/upload-engine.js';
import type { UploadHooks } from './engine/upload-hooks.interface.js';
import { UploadEvents } from './events/upload-events.js';
import type { AbstractChunkedUpload } from './persistence/abstract-chunked-upload.entity.js';
import { LeaseRequests } from './persistence/lease-requests.js';
import { surviveEndedSessions } from './persistence/pool-errors.js';
import { UploadRepositories } from './persistence/upload-repositories.js';
import { resolveSettings } from './resolve-options.js';
import { LocalStorage } from './storage/local/local.driver.js';
import { routesOf } from './upload-doors.js';
import type { CompleteShape } from './upload-shape.js';
import type { UploadSettings } from './upload-options.js';
import { UploadType } from './upload-type.js';

/** Puts an upload type together: the only place that names engine, repositories and a concrete driver at once. */
export function createUploadType(
  shape: CompleteShape,
  { settings, cleanup }: { settings: UploadSettings; cleanup: string | false },
  dataSource: DataSource,
): UploadType {
  surviveEndedSessions(dataSource);
  const { entity } = shape;
  const { owners = {} } = settings;
  const { policy, door } = resolveSettings(settings, shape);
  const logger = new Logger('ChunkedUpload');
  const engine = new UploadEngine<AbstractChunkedUpload>({
    repositories: new UploadRepositories(dataSource, entity, followedOwners(owners, dataSource)),
    driver: settings.storage ?? new LocalStorage({ root: 'chunked_uploads' }),
    policy: { ...policy, admitOwner: ownerAdmission(owners, dataSource) },
    hooks: settings as UploadHooks<AbstractChunkedUpload>,
    events: new UploadEvents((error) => logger.error('A listener of upload events failed', error)),
    active: new ActiveWrites(),
    requests: new LeaseRequests(dataSource),
    holder: new LeaseHolder(),
  });
  return new UploadType(entity.name, engine, door, { routes: routesOf(shape), cleanup });
}
