import type { Contender, RunningServer } from './contenders.js';
import { HttpClient, type Pattern } from './http-client.js';
import type { Job, UploadTiming } from './protocols/protocol.js';
import { percentile } from './statistics.js';

/** Figures of one run, by the name of their column. Null: this system does not tell, or there is none. */
export type Figures = Readonly<Record<string, number | null>>;

/** One table: the same work for several contenders. */
export interface Experiment {
  readonly name: string;
  /** What the work is, in a sentence. */
  readonly about: string;
  /** Names of contenders. */
  readonly contenders: readonly string[];
  /** The contender and the column that ratios are taken of. */
  readonly baseline: string;
  readonly column: string;
  run(contender: Contender, server: RunningServer): Promise<Figures>;
}

/** What all experiments send. */
export interface Material {
  readonly pattern: Pattern;
  readonly checksum: (algorithm: string, sizeBytes: number) => string;
}

export const MIB = 1024 * 1024;

/** Uploads `count` files at once, and tells the speed of all together, the time of a chunk, and what the server used. */
export async function uploadAtOnce(
  { protocol }: Contender,
  server: RunningServer,
  { job, count }: { job: Job; count: number },
): Promise<Figures> {
  const clients = Array.from({ length: count }, () => new HttpClient(server.origin));
  await server.resetPeak();
  const before = await server.usage();
  const timings = await Promise.all(clients.map((client) => protocol.upload(client, job)));
  const after = await server.usage();
  for (const client of clients) client.close();
  const cpuSeconds = before.cpuSeconds === null ? null : (after.cpuSeconds ?? 0) - before.cpuSeconds;
  return {
    ...speedOf(timings, job.sizeBytes * count),
    ...costOf(cpuSeconds, after.peakBytes, job.sizeBytes * count),
  };
}

function speedOf(timings: readonly UploadTiming[], bytes: number): Figures {
  const chunkMs = timings.flatMap((timing) => timing.chunkMs);
  const completions = timings.flatMap(({ completionMs }) => (completionMs === null ? [] : [completionMs]));
  const seconds = Math.max(...timings.map((timing) => timing.transferMs)) / 1000;
  return {
    'MB/s': bytes / 1e6 / seconds,
    'chunks/s': chunkMs.length / seconds,
    'p50 ms': percentile(chunkMs, 0.5),
    'p99 ms': percentile(chunkMs, 0.99),
    'completion ms': completions.length > 0 ? percentile(completions, 0.5) : null,
  };
}

function costOf(cpuSeconds: number | null, peakBytes: number | null, bytes: number): Figures {
  return {
    'CPU s/GiB': cpuSeconds === null ? null : cpuSeconds / (bytes / 1024 ** 3),
    'peak MiB': peakBytes === null ? null : peakBytes / MIB,
  };
}
