import type { DynamicModule } from '@nestjs/common';
import { ApiKeyGuard } from '../access/api-key.guard.js';
import { BasicAuthGuard } from '../access/basic-auth.guard.js';
import { ExternalAuthGuard } from '../access/external-auth.guard.js';
import { SignedQueryGuard } from '../access/signed-query.guard.js';
import { UploadApiKeysModule } from '../access/upload-api-keys.module.js';
import { ChunkedUploadAdminModule } from '../upload-admin.module.js';
import type { ChunkedUploadOptions } from '../upload-options.js';
import type { AccessEnvironment, AdminEnvironment } from './access-variables.js';

/** What the module needs so that callers sign in as the environment says. */
export function accessParts(access: AccessEnvironment): {
  readonly imports: readonly DynamicModule[];
  readonly options: Pick<ChunkedUploadOptions, 'anonymous' | 'guards'>;
} {
  switch (access.by) {
    case 'anonymous':
      return { imports: [], options: { anonymous: true } };
    case 'basic': {
      const guard = new BasicAuthGuard({ users: Object.fromEntries(access.users) });
      return { imports: [], options: { guards: [guard] } };
    }
    case 'api-key':
      return { imports: [UploadApiKeysModule.forRoot()], options: { guards: [ApiKeyGuard] } };
    case 'signed': {
      const { replayWindowMs } = access;
      const signedQuery = replayWindowMs === undefined ? {} : { replayWindow: replayWindowMs };
      return {
        imports: [UploadApiKeysModule.forRoot({ signedQuery })],
        options: { guards: [SignedQueryGuard] },
      };
    }
    case 'external':
      return { imports: [], options: { guards: [externalGuard(access)] } };
  }
}

/** The admin API with its board, where there are administrators. */
export function adminParts(admin: AdminEnvironment | undefined): readonly DynamicModule[] {
  if (!admin) return [];
  const guard = new BasicAuthGuard({ users: Object.fromEntries(admin.users), realm: 'uploads admin' });
  return [ChunkedUploadAdminModule.forRoot({ guards: [guard], board: true, readOnly: admin.isReadOnly })];
}

function externalGuard({
  url,
  timeoutMs,
  cacheMs,
  challenge,
}: Extract<AccessEnvironment, { by: 'external' }>): ExternalAuthGuard {
  return new ExternalAuthGuard({
    url,
    ...(timeoutMs !== undefined && { timeout: timeoutMs }),
    ...(cacheMs !== undefined && { cacheMs }),
    ...(challenge !== undefined && { challenge }),
  });
}
