import type { Random } from '../../support/random.js';
import {
  type Answer,
  complete,
  content,
  detail,
  put,
  sleep,
  type Target,
} from '../../engine/support/client.js';

const PAUSE_MS = 40;

/** `503 database_unavailable`: what a refusal comes down to. */
export const code = ({ status, body }: Answer): string => `${status} ${String(body.code ?? body.status)}`;

/** Fails instead of waiting longer than `limitMs`. */
export async function within<Value>(limitMs: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${limitMs} ms`)), limitMs);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

/** What a client is to do. */
export interface SteadyWork {
  /** The servers of one service; every request goes to any of them. */
  readonly servers: () => readonly Target[];
  readonly bytes: Buffer;
  readonly chunkBytes: number;
  /** Longest wait for one answer: more is a hang, and an error. */
  readonly answerLimitMs: number;
  readonly random: Random;
}

/**
 * Uploads one file as the documentation says to: chunk by chunk, and after anything but success it asks for the offset and
 * goes on there. Throws when the server breaks a promise: a decreasing offset, other bytes, no answer.
 */
export class SteadyClient {
  acknowledged = 0;
  path: string | undefined;
  /** Everything it was told but success, with how often. */
  readonly refusals = new Map<string, number>();
  slowestMs = 0;

  constructor(private readonly work: SteadyWork) {}

  /** Until the upload is complete and was read back. */
  async run(): Promise<void> {
    const { bytes } = this.work;
    while (this.acknowledged < bytes.length) {
      await this.sendNext();
      await sleep(PAUSE_MS);
    }
    const path = this.path ?? '';
    while (!(await this.ask((target) => complete(target, path, bytes)))) await sleep(PAUSE_MS);
    const [any] = this.work.servers();
    if (!any) throw new Error('No server.');
    if (!(await content(any, path)).equals(bytes)) throw new Error(`${path}: other bytes`);
  }

  private async sendNext(): Promise<void> {
    const { bytes, chunkBytes } = this.work;
    const start = this.acknowledged;
    const chunk = bytes.subarray(start, start + chunkBytes);
    const path = this.path;
    const place = { start, total: bytes.length, ...(path !== undefined && { path }) };
    const stored = await this.ask((target) => put(target, chunk, place));
    if (stored) {
      this.path = `/upload/${String(stored.body.id)}`;
      this.acknowledge(stored);
    } else if (path !== undefined) {
      const seen = await this.ask((target) => detail(target, path));
      if (seen) this.acknowledge(seen);
    }
  }

  private acknowledge({ body }: Answer): void {
    const offset = Number(body.offset);
    if (offset < this.acknowledged) throw new Error(`${this.path}: ${offset} after ${this.acknowledged}`);
    this.acknowledged = offset;
  }

  /** The answer, or null after a refusal or a lost connection. */
  private async ask(request: (target: Target) => Promise<Answer>): Promise<Answer | null> {
    const target = this.work.random.pick(this.work.servers());
    const askedAt = performance.now();
    const lost = () => (this.count('connection lost'), null);
    const answer = await within(this.work.answerLimitMs, request(target).catch(lost));
    this.slowestMs = Math.max(this.slowestMs, performance.now() - askedAt);
    if (answer === null || answer.status === 200) return answer;
    this.count(code(answer));
    return null;
  }

  private count(refusal: string): void {
    this.refusals.set(refusal, (this.refusals.get(refusal) ?? 0) + 1);
  }
}
