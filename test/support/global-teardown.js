/** Stops what the global set-up started, also after failed tests. */
export default async function globalTeardown() {
  await globalThis.stopTestDatabase?.();
}
