import { constants } from 'node:os';

/**
 * The `code` of a system error, such as `ENOENT`; undefined for other errors. By its shape, since an error of another
 * realm (a VM context, as in Jest) is no `instanceof Error` here.
 */
export function systemCode(error: unknown): string | undefined {
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown };
  // libuv has no name for a full quota.
  if (errno === -constants.errno.EDQUOT) return 'EDQUOT';
  return typeof code === 'string' ? code : undefined;
}
