const REMOVALS = 'src/persistence/removal.repository.ts';
const COMPLETION_SPEC = 'test/engine/completion.spec.ts';
const SWEEP_SPEC = 'test/cli/sweep.spec.ts';

/** The way out: cancelling, cleanup, sweep. */
export const removalMutants = [
  {
    name: 'the row is deleted before the bytes',
    breaks: '10 no leaks',
    file: 'src/engine/upload-remover.ts',
    find: 'await driver.discard(storedUpload(upload));',
    replace:
      'await repositories.removals.remove(upload.id);\n    await driver.discard(storedUpload(upload));',
    killedBy: { suite: COMPLETION_SPEC, test: 'a deletion whose storage fails stays' },
  },
  {
    name: 'an upload being deleted can be read',
    breaks: '5 one winner',
    file: 'src/engine/refusal.ts',
    find: `if (upload.status === 'deleting') throw`,
    replace: `if (upload.status === 'deleting' && isExpired) throw`,
    killedBy: { suite: 'src/engine/refusal.spec.ts', test: 'requireUsable' },
  },
  {
    name: 'cleanup takes what is being written',
    breaks: '5 one winner',
    file: REMOVALS,
    find: `'failed') AND \${LEASE_IS_FREE} AND`,
    replace: `'failed') AND`,
    killedBy: { suite: 'test/engine/cleanup.spec.ts', test: 'spares what is being written' },
  },
  {
    name: 'cleanup takes what is complete',
    breaks: '5 one winner',
    file: REMOVALS,
    find: `(status IN ('uploading', 'completing', 'failed')`,
    replace: `(status IN ('uploading', 'completing', 'failed', 'complete')`,
    killedBy: { suite: 'test/engine/cleanup.spec.ts', test: 'never touches a complete upload' },
  },
  {
    name: 'no advisory lock around cleanup and sweep',
    breaks: 'one instance at a time',
    file: 'src/persistence/advisory-lock.ts',
    find: 'if (!(await hasLocked(connection, name))) return null;',
    replace: 'await hasLocked(connection, name);',
    killedBy: { suite: SWEEP_SPEC, test: 'runs once at a time' },
  },
  {
    name: 'the sweep asks for the rows before it lists the objects',
    breaks: '1 acknowledged is durable, 10 no leaks',
    file: 'src/cleanup/upload-sweep.ts',
    find: 'for await (const object of driver.list()) {',
    replace:
      `const { dataSource } = this.types[0].engine.context.repositories;\n` +
      `const rows = await dataSource.query('SELECT id FROM chunked_upload');\n` +
      'const known = new Set(rows.map(({ id }) => id));\n' +
      'for (const { engine } of this.types) engine.context.repositories.removals.known = async () => known;\n' +
      'for await (const object of driver.list()) {',
    killedBy: {
      suite: 'test/mutants/sweep-order.spec.ts',
      test: 'an upload that is created while the storage is listed',
    },
  },
];
