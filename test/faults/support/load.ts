import { contentOf } from '../../support/random.js';
import {
  begin,
  complete,
  content,
  detail,
  openPut,
  put,
  sleep,
  type Target,
} from '../../engine/support/client.js';
import { code, within } from './steady-client.js';

const FIRST = 1_000;
const SLOW_STEP = 1_000;
const SLOW_STEP_MS = 100;
const ANSWER_LIMIT_MS = 10_000;

/** One upload under way, and how much of it the server said it has. */
export class LoadedUpload {
  acknowledged = 0;
  path = '';
  private readonly bytes: Buffer;

  constructor(
    seed: number,
    length: number,
    /** Whether its one chunk trickles in, for longer than any grace time. */
    private readonly isSlow: boolean,
  ) {
    this.bytes = contentOf(seed, length);
  }

  async begin(server: Target): Promise<void> {
    this.path = await begin(server, this.bytes.subarray(0, FIRST), this.bytes.length);
    this.acknowledged = FIRST;
  }

  /** Sends until the server refuses or the connection breaks; the refusal, null for a break. */
  async upload(server: Target): Promise<string | null> {
    try {
      return await (this.isSlow ? this.trickle(server) : this.hurry(server));
    } catch {
      return null;
    }
  }

  private async trickle(server: Target): Promise<string> {
    const rest = this.bytes.subarray(FIRST);
    const chunk = openPut(server, rest.length, { path: this.path, start: FIRST, total: this.bytes.length });
    let isAnswered = false;
    const answered = chunk.answer.finally(() => (isAnswered = true));
    answered.catch(() => undefined);
    for (let at = 0; at < rest.length && !isAnswered; at += SLOW_STEP) {
      // A broken connection calls nobody back.
      await Promise.race([chunk.send(rest.subarray(at, at + SLOW_STEP)), sleep(SLOW_STEP_MS)]);
      await sleep(SLOW_STEP_MS);
    }
    return code(await answered);
  }

  private async hurry(server: Target): Promise<string> {
    const total = this.bytes.length;
    const chunkBytes = Math.ceil(total / 100);
    for (;;) {
      const start = this.acknowledged;
      const chunk = this.bytes.subarray(start, start + chunkBytes);
      const answer = await within(ANSWER_LIMIT_MS, put(server, chunk, { path: this.path, start, total }));
      if (answer.status !== 200) return code(answer);
      this.acknowledged = Number(answer.body.offset);
      if (this.acknowledged === total) return 'all sent';
    }
  }

  /** After a restart: goes on where the server says, in one request that nobody keeps waiting. The offset it found. */
  async finish(server: Target): Promise<number> {
    const total = this.bytes.length;
    const offset = Number((await detail(server, this.path)).body.offset);
    if (offset < this.acknowledged) throw new Error(`${this.path}: ${offset} of ${this.acknowledged}`);
    if (offset < total) {
      const rest = put(server, this.bytes.subarray(offset), { path: this.path, start: offset, total });
      const told = code(await within(ANSWER_LIMIT_MS, rest));
      if (told !== '200 uploading') throw new Error(`${this.path} at ${offset}: ${told}`);
    }
    const told = code(await complete(server, this.path, this.bytes));
    if (told !== '200 complete') throw new Error(`${this.path}: ${told}`);
    if (!(await content(server, this.path)).equals(this.bytes)) throw new Error(`${this.path}: other bytes`);
    return offset;
  }
}
