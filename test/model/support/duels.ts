import type { Row, SimulatedProcess } from './world.js';
import { append, appendRun, CALLER, complete, create, FILE, window } from './fault-scenarios.js';
import { bodyOf, bytesOf } from './world.js';

/** Another chunk for the same place. */
const OTHER = Buffer.concat([FILE.subarray(0, 10), bytesOf(10, 'other')]);

export interface Rival {
  readonly name: string;
  readonly run: (process: SimulatedProcess, id: string) => Promise<unknown>;
}

/** Requests for one upload at once, each in the process of that index. */
export interface Duel {
  readonly name: string;
  /** Bytes received before; null for no upload. */
  readonly received: number | null;
  readonly isExpired?: boolean;
  readonly rivals: readonly Rival[];
  /** Whether a lease may run out at any moment: its holder is only slow. */
  readonly stalls?: boolean;
  /** How many may be answered without an error. */
  readonly winners: { readonly min: number; readonly max: number };
  /** What the row may be in the end; undefined when it is gone. */
  readonly ends: (row: Row | undefined, answered: readonly string[]) => boolean;
}

const chunk: Rival = { name: 'chunk', run: (process, id) => append(process, id, 10) };
const other: Rival = {
  name: 'other chunk',
  run: ({ engine }, id) => {
    const body = bodyOf(OTHER.subarray(10), { isRaw: true, pieces: 2 });
    const open = () => Promise.resolve(body);
    return engine.append({ caller: CALLER, id, window: window(10, 20), open, stream: body.stream });
  },
};
const run: Rival = { name: 'run', run: (process, id) => appendRun(process, id, 20) };
const finish: Rival = { name: 'complete', run: complete };
const cancel: Rival = { name: 'cancel', run: ({ engine }, id) => engine.cancel(CALLER, id) };
const cleanup: Rival = { name: 'cleanup', run: ({ cleanup: job }) => job.run() };
const keyed: Rival = { name: 'create', run: (process) => create(process, { isRaw: true, key: 'key' }) };

/** A cancel that comes while the completion's transaction runs is refused as `busy`. */
const isCancelledUnlessComplete: Duel['ends'] = (row, answered) =>
  answered.includes('cancel') ? row === undefined : row?.status === 'complete';

export { OTHER };

export const DUELS: readonly Duel[] = [
  {
    name: 'chunk and another chunk at the same offset',
    received: 10,
    rivals: [chunk, other],
    // The one that asks may give up before the one that was asked has let go: then both are told to come again.
    winners: { min: 0, max: 1 },
    ends: (row, answered) => row?.offset === (answered.length > 0 ? 20 : 10),
  },
  {
    name: 'three chunks, leases running out',
    received: 10,
    rivals: [chunk, other, chunk],
    stalls: true,
    winners: { min: 0, max: 1 },
    ends: (row, answered) => row?.offset === (answered.length > 0 ? 20 : row?.offset),
  },
  {
    name: 'chunk and complete',
    received: 10,
    rivals: [chunk, finish],
    winners: { min: 1, max: 2 },
    ends: (row, answered) =>
      row?.offset === 20 && (row.status === 'complete') === answered.includes('complete'),
  },
  {
    name: 'a run of chunks and another chunk in the middle of it',
    received: 10,
    rivals: [run, { name: 'late chunk', run: (process, id) => append(process, id, 15) }],
    winners: { min: 0, max: 1 },
    ends: (row, answered) => row !== undefined && (answered.length === 0 || row.offset === 20),
  },
  {
    name: 'a run of chunks and another one, leases running out',
    received: 10,
    rivals: [run, run],
    stalls: true,
    winners: { min: 0, max: 1 },
    ends: (row, answered) => row !== undefined && (answered.length === 0 || row.offset === 20),
  },
  {
    name: 'a run of chunks and complete',
    received: 10,
    rivals: [run, finish],
    winners: { min: 1, max: 2 },
    ends: (row, answered) =>
      row?.offset === 20 && (row.status === 'complete') === answered.includes('complete'),
  },
  {
    name: 'a run of chunks and cancel',
    received: 10,
    rivals: [run, cancel],
    winners: { min: 1, max: 2 },
    ends: (row) => row === undefined,
  },
  {
    name: 'chunk and cancel',
    received: 10,
    rivals: [chunk, cancel],
    winners: { min: 1, max: 2 },
    ends: (row) => row === undefined,
  },
  {
    name: 'complete and complete',
    received: 20,
    rivals: [finish, finish],
    winners: { min: 1, max: 2 },
    ends: (row) => row?.status === 'complete',
  },
  {
    name: 'complete and complete, leases running out',
    received: 20,
    rivals: [finish, finish],
    stalls: true,
    winners: { min: 1, max: 2 },
    ends: (row) => row?.status === 'complete',
  },
  {
    name: 'complete and cancel',
    received: 20,
    rivals: [finish, cancel],
    winners: { min: 1, max: 2 },
    ends: isCancelledUnlessComplete,
  },
  {
    name: 'complete and cleanup, leases running out',
    received: 20,
    isExpired: true,
    rivals: [finish, cleanup],
    stalls: true,
    winners: { min: 1, max: 2 },
    ends: (row, answered) => (answered.includes('complete') ? row?.status === 'complete' : row === undefined),
  },
  {
    name: 'chunk, complete and cancel',
    received: 10,
    rivals: [chunk, finish, cancel],
    winners: { min: 1, max: 3 },
    ends: isCancelledUnlessComplete,
  },
  {
    name: 'cleanup and cleanup',
    received: 10,
    isExpired: true,
    rivals: [cleanup, cleanup],
    winners: { min: 2, max: 2 },
    ends: (row) => row === undefined,
  },
  {
    name: 'create and create with one idempotency key',
    received: null,
    rivals: [keyed, keyed],
    // As with two chunks.
    winners: { min: 0, max: 2 },
    ends: (row, answered) => (answered.length > 0 ? row?.offset === 10 : row === undefined),
  },
];
