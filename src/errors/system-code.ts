/**
 * The `code` of a system error, such as `ENOENT`; undefined for other errors. By its shape, since an error of another
 * realm (a VM context, as in Jest) is no `instanceof Error` here.
 */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
