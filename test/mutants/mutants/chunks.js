const SESSION = 'src/engine/chunk-session.ts';
const APPENDER = 'src/engine/chunk-appender.ts';
const LEASES = 'src/persistence/lease.repository.ts';
const ORDER_SPEC = 'test/mutants/order.spec.ts';
const BROKEN_BODIES = 'test/engine/broken-bodies.spec.ts';

/** From the first byte of a chunk to its answer. */
export const chunkMutants = [
  {
    name: 'commit before write',
    breaks: '1 acknowledged is durable',
    file: SESSION,
    find: 'await written;',
    replace: 'written.catch(() => undefined);',
    killedBy: { suite: ORDER_SPEC, test: 'a write that fails is told' },
  },
  {
    name: 'commit before the storage has synced',
    breaks: '1 acknowledged is durable',
    file: SESSION,
    find: 'return { state: await writer.commit(durable), next: null };',
    replace: 'void writer.commit(true).catch(() => undefined);\n' + 'return { state: {}, next: null };',
    killedBy: { suite: ORDER_SPEC, test: 'a commit that fails is told' },
  },
  {
    name: 'respond before commit',
    breaks: '1 acknowledged is durable',
    file: APPENDER,
    find: 'const upload = await this.commit(leased, chunk, window);',
    replace:
      'const upload = { ...leased.upload, offset: chunk.offset };\n' +
      'void this.commit(leased, chunk, window).catch(() => undefined);',
    killedBy: { suite: 'test/engine/database-faults.spec.ts', test: 'ahead of the commit: 503' },
  },
  {
    name: 'Content-Length trusted: a short body is whole',
    breaks: '3 chunks are atomic, or a prefix',
    file: 'src/engine/chunk-outcome.ts',
    find: 'return window && received !== lengthOf(window) ?',
    replace: 'return window && received > lengthOf(window) ?',
    killedBy: { suite: BROKEN_BODIES, test: 'that ends properly, but short, is refused whole' },
  },
  {
    name: 'Content-Length trusted: the offset is as announced',
    breaks: '4 exact bytes',
    file: SESSION,
    find: 'upload.offset + receiver.written;',
    replace: '(input.window?.end ?? upload.offset + receiver.written);',
    killedBy: { suite: BROKEN_BODIES, test: 'falls silent ends after the idle timeout, and keeps' },
  },
  {
    name: 'a form that broke off is committed',
    breaks: '3 chunks are atomic, or a prefix',
    file: SESSION,
    find: 'isWanted && keepsPrefix && !isCreation',
    replace: 'isWanted && !isCreation',
    killedBy: { suite: BROKEN_BODIES, test: 'a multipart chunk that falls silent in its bytes' },
  },
  {
    name: 'a raw body that broke off is dropped',
    breaks: '3 chunks are atomic, or a prefix',
    file: SESSION,
    find: 'isWanted && keepsPrefix && !isCreation',
    replace: 'false && isWanted && keepsPrefix',
    killedBy: { suite: BROKEN_BODIES, test: 'falls silent ends after the idle timeout, and keeps' },
  },
  {
    name: 'a creation that broke off is kept',
    breaks: '10 no leaks',
    file: 'src/engine/upload-creator.ts',
    find: 'await this.remover.abandon(upload).catch(() => undefined);',
    replace: '',
    killedBy: { suite: BROKEN_BODIES, test: 'a creation that breaks off leaves neither row nor file' },
  },
  {
    name: 'the digest is not stored with the offset',
    breaks: '7 completion is all or nothing: in constant time',
    file: LEASES,
    find: 'digest_state = $5::jsonb',
    replace: 'digest_state = CASE WHEN $5::jsonb IS NULL THEN NULL ELSE digest_state END',
    killedBy: { suite: 'test/engine/completion.spec.ts', test: 'reads no byte of the file' },
  },
  {
    name: 'a connection is held during the body',
    breaks: '12 nothing is held',
    file: APPENDER,
    find: 'await new ChunkSession(this.context, leased, write).store(input);',
    replace:
      'await this.context.repositories.dataSource.transaction(() =>\n' +
      '  new ChunkSession(this.context, leased, write).store(input));',
    killedBy: {
      suite: 'test/engine/database-faults.spec.ts',
      test: 'no connection is held while bytes flow',
    },
  },
  {
    name: 'offsets are strings',
    breaks: '6 a usable offset',
    file: 'src/persistence/safe-integer.transformer.ts',
    find: 'return number;',
    replace: 'return value as never;',
    killedBy: {
      suite: 'test/protocols/rest-chunks.e2e.spec.ts',
      test: 'names the offset when a chunk is out of order',
    },
  },
];
