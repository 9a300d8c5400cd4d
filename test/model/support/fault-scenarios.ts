import type { ChunkedUpload } from '../../../src/index.js';
import { bodyOf, bytesOf, callerOf, DESCRIPTION, md5, type SimulatedProcess } from './world.js';

export const USER = 'ada';
export const CALLER = callerOf(USER);
/** The file of every scenario: two chunks of ten bytes. */
export const FILE = bytesOf(20, 'file');

/** One request that is made to fail, and what is there before it. */
export interface Scenario {
  readonly name: string;
  /** Bytes received before, null for no upload. */
  readonly received: number | null;
  readonly isComplete?: boolean;
  /** Its lease ran out: its holder is only paused, or dead out of sight. */
  readonly isForked?: boolean;
  readonly isExpired?: boolean;
  readonly key?: string;
  /** Bytes that may be acknowledged when all goes well. */
  readonly reaches: number;
  readonly run: (process: SimulatedProcess, id: string) => Promise<unknown>;
  /** Ends the upload, so that nothing is to be resumed. */
  readonly isDeletion?: boolean;
}

export const window = (start: number, end: number, total: number | null = FILE.length) => ({
  start,
  end,
  total,
});

interface CreateOptions {
  readonly isRaw: boolean;
  readonly ending?: 'whole' | 'broken';
  readonly key?: string;
  readonly end?: number;
}

export function create({ engine }: SimulatedProcess, options: CreateOptions): Promise<ChunkedUpload> {
  const { isRaw, ending = 'whole', key, end = 10 } = options;
  return engine.create({
    caller: CALLER,
    window: window(0, end),
    body: bodyOf(FILE.subarray(0, end), { isRaw, ending, pieces: 2 }),
    description: DESCRIPTION,
    late: isRaw ? null : () => Promise.resolve({ ...DESCRIPTION, filename: 'late.bin', continues: null }),
    idempotencyKey: key,
  });
}

export function append(
  { engine }: SimulatedProcess,
  id: string,
  start: number,
  options?: { ending: 'broken' },
) {
  const bytes = FILE.subarray(start, options ? start + 4 : FILE.length);
  const body = bodyOf(bytes, { isRaw: true, pieces: 2, ...options });
  const open = () => Promise.resolve(body);
  return engine.append({ caller: CALLER, id, window: window(start, FILE.length), open, stream: body.stream });
}

/** Chunks of one byte from byte 10 to `end`: from the fifth on the lease lingers between them. */
export async function appendRun({ engine }: SimulatedProcess, id: string, end: number): Promise<void> {
  for (let start = 10; start < end; start++) {
    const body = bodyOf(FILE.subarray(start, start + 1), { isRaw: true });
    const open = () => Promise.resolve(body);
    await engine.append({
      caller: CALLER,
      id,
      window: window(start, start + 1),
      open,
      stream: body.stream,
    });
  }
}

export function complete({ engine }: SimulatedProcess, id: string): Promise<ChunkedUpload> {
  return engine.complete({ caller: CALLER, id, checksums: new Map([['md5', md5(FILE)]]) });
}

function createContinuing({ engine }: SimulatedProcess, id: string): Promise<ChunkedUpload> {
  return engine.create({
    caller: CALLER,
    window: window(10, 20),
    body: bodyOf(FILE.subarray(10), { isRaw: false }),
    description: DESCRIPTION,
    late: () => Promise.resolve({ ...DESCRIPTION, continues: id }),
    idempotencyKey: undefined,
  });
}

function createComplete({ engine }: SimulatedProcess, key?: string): Promise<ChunkedUpload> {
  const command = {
    caller: CALLER,
    window: null,
    body: bodyOf(FILE, { isRaw: true }),
    description: DESCRIPTION,
    late: null,
    idempotencyKey: key,
  };
  return engine.createComplete(command, () => Promise.resolve(new Map([['md5', md5(FILE)]])));
}

async function read({ engine }: SimulatedProcess, id: string): Promise<void> {
  const upload = await engine.findComplete(CALLER, id);
  await engine.read(upload, { start: 0, end: FILE.length }).toArray();
}

const key = 'key';

export const SCENARIOS: readonly Scenario[] = [
  { name: 'create, raw', received: null, reaches: 10, run: (process) => create(process, { isRaw: true }) },
  {
    name: 'create, a form with late fields',
    received: null,
    reaches: 10,
    run: (process) => create(process, { isRaw: false }),
  },
  {
    name: 'create, the body breaks off',
    received: null,
    reaches: 0,
    run: (process) => create(process, { isRaw: true, ending: 'broken' }),
  },
  {
    name: 'create with an idempotency key',
    received: null,
    reaches: 10,
    key,
    run: (process) => create(process, { isRaw: true, key }),
  },
  {
    name: 'create again with the same key',
    received: 10,
    reaches: 10,
    key,
    run: (process) => create(process, { isRaw: true, key }),
  },
  { name: 'one-shot', received: null, reaches: 20, run: (process) => createComplete(process) },
  {
    name: 'one-shot with an idempotency key',
    received: null,
    reaches: 20,
    key,
    run: (process) => createComplete(process, key),
  },
  { name: 'append', received: 10, reaches: 20, run: (process, id) => append(process, id, 10) },
  {
    name: 'append to an upload without bytes',
    received: 0,
    reaches: 20,
    run: (process, id) => append(process, id, 0),
  },
  {
    name: 'append, the raw body breaks off',
    received: 10,
    reaches: 14,
    run: (process, id) => append(process, id, 10, { ending: 'broken' }),
  },
  {
    name: 'append a run of chunks, and stop',
    received: 10,
    reaches: 18,
    run: (process, id) => appendRun(process, id, 18),
  },
  {
    name: 'append a run of chunks to the end',
    received: 10,
    reaches: 20,
    run: (process, id) => appendRun(process, id, 20),
  },
  { name: 'append by a form, the id behind its bytes', received: 10, reaches: 20, run: createContinuing },
  {
    name: 'append after a lease ran out: takeover and fork',
    received: 10,
    isForked: true,
    reaches: 20,
    run: (process, id) => append(process, id, 10),
  },
  { name: 'complete', received: 20, reaches: 20, run: complete },
  { name: 'complete after a lease ran out', received: 20, isForked: true, reaches: 20, run: complete },
  { name: 'complete again', received: 20, isComplete: true, reaches: 20, run: complete },
  {
    name: 'complete with a wrong checksum',
    received: 20,
    reaches: 20,
    run: ({ engine }, id) =>
      engine.complete({ caller: CALLER, id, checksums: new Map([['md5', '0'.repeat(32)]]) }),
  },
  {
    name: 'complete, the hook refuses',
    received: 20,
    reaches: 20,
    run: ({ engine }, id) =>
      engine.complete({ caller: callerOf(USER, 'onComplete'), id, checksums: new Map([['md5', md5(FILE)]]) }),
  },
  { name: 'find and list', received: 10, reaches: 10, run: find },
  { name: 'read the content', received: 20, isComplete: true, reaches: 20, run: read },
  {
    name: 'cancel',
    received: 10,
    reaches: 10,
    isDeletion: true,
    run: ({ engine }, id) => engine.cancel(CALLER, id),
  },
  {
    name: 'cancel of a complete one',
    received: 20,
    isComplete: true,
    reaches: 20,
    isDeletion: true,
    run: ({ engine }, id) => engine.cancel(CALLER, id),
  },
  {
    name: 'cleanup',
    received: 10,
    isExpired: true,
    reaches: 10,
    isDeletion: true,
    run: ({ cleanup }) => cleanup.run(),
  },
  {
    name: 'cleanup that keeps records',
    received: 10,
    isExpired: true,
    reaches: 10,
    isDeletion: true,
    run: ({ cleanup }) => cleanup.run({ keepRecords: true }),
  },
];

async function find({ engine }: SimulatedProcess, id: string): Promise<void> {
  await engine.find(CALLER, id);
  await engine.list(CALLER, { limit: 10 });
}
