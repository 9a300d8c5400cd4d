import {
  type Answer,
  call,
  chunkHeaders,
  complete,
  multipart,
  open,
  type OpenRequest,
  openForm,
  sleep,
  type Target,
} from '../../engine/support/client.js';
import { contentOf, type Random } from '../../support/random.js';

/** The world a client lives in: servers die and come back. */
export interface World {
  /** The server, once there is one. */
  server(): Promise<Target>;
  /** Rises when the database goes away, and again when it is back. */
  readonly outages: number;
  readonly isDatabaseAway: boolean;
}

const KIBIBYTE = 1024;
const PIECE_BYTES = 64 * KIBIBYTE;
const PATIENCE_MS = 15_000;

/** A promise of the server that was broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/**
 * A client that uploads one file whatever happens to the server: after a broken connection it asks for the offset and
 * goes on from there. It knows what it was promised, and throws a {@link Violation} when that is not kept.
 */
export class StubbornClient {
  /** `/upload/<id>`, since the server told. */
  path: string | null = null;
  /** The highest offset the server ever told: bytes that it must never lose. */
  acknowledged = 0;
  /** Whether it was told that its upload is complete. */
  isComplete = false;
  /** Whether it has asked for the deletion of its upload, which may have happened or not. */
  isCancelling = false;
  state: 'uploading' | 'complete' | 'gone' | 'abandoned' = 'uploading';
  readonly size: number;
  private readonly seed: number;
  private readonly firstLength: number;
  private readonly isForm: boolean;
  private readonly isSlow: boolean;
  private readonly cancelsAt: number;
  private readonly key: string | null;
  private sent = 0;
  private offset: number | null = 0;
  private doing = '';

  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {
    this.seed = random.between(0, 0xffff_ffff);
    this.size = random.magnitude(64 * KIBIBYTE, 8 * KIBIBYTE * KIBIBYTE);
    this.firstLength = Math.min(this.size, this.chunkLength());
    this.isForm = random.chance(0.4);
    this.isSlow = random.chance(0.6);
    this.cancelsAt = random.chance(0.15) ? Math.floor(this.size * random.fraction()) : Infinity;
    this.key = !this.isForm && random.chance(0.5) ? `key-${this.seed}` : null;
  }

  get id(): string {
    return this.path?.split('/').at(-1) ?? '';
  }

  /** The bytes that every look at the storage must find. */
  get acknowledgedBytes(): Buffer {
    return contentOf(this.seed, this.size).subarray(0, this.acknowledged);
  }

  /** Uploads, completes, reads it back; or cancels. */
  async run(): Promise<void> {
    const bytes = contentOf(this.seed, this.size);
    while (this.state === 'uploading') {
      const { outages } = this.world;
      const target = await this.world.server();
      try {
        await this.inTime(this.step(target, bytes));
      } catch (error) {
        if (error instanceof Violation) throw error;
        const wasAway = this.world.isDatabaseAway || this.world.outages !== outages;
        if (!isBrokenConnection(error) && !(wasAway && error instanceof DatabaseAway)) throw error;
        if (this.isCancelling && this.random.chance(0.5)) this.state = 'abandoned';
        this.offset = null;
        await sleep(20);
      }
    }
  }

  /** A request that is never answered is a promise broken too. */
  private async inTime(step: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const what = () => new Violation(`${this.path ?? 'creation'}: no answer in time to ${this.doing}`);
      timer = setTimeout(() => reject(what()), PATIENCE_MS);
    });
    await Promise.race([step, late]).finally(() => clearTimeout(timer));
  }

  private async step(target: Target, bytes: Buffer): Promise<void> {
    if (this.path === null) return this.create(target, bytes);
    if (this.isCancelling || this.acknowledged > this.cancelsAt) return this.cancel(target);
    if (this.offset === null) return this.ask(target, this.path);
    if (this.offset < this.size) return this.append(target, this.path, bytes);
    this.doing = 'completion';
    const answer = this.demand(await complete(target, this.path, bytes), 200);
    if (answer.body.status !== 'complete') throw this.violation('completed', answer);
    this.isComplete = true;
    const read = this.demand(await call(target, `${this.path}/content`), 200);
    if (!read.bytes.equals(bytes)) throw this.violation('other content', read);
    if (this.random.chance(0.6)) return this.cancel(target);
    this.state = 'complete';
  }

  private async create(target: Target, bytes: Buffer): Promise<void> {
    // The same again for the same key: whichever of the attempts created the upload, this is what it has.
    const length = this.firstLength;
    const answer = this.demand(await this.send(target, bytes.subarray(0, length), 0), 200);
    if (answer.body.offset !== length) throw this.violation(`${length} bytes sent`, answer);
    this.path = `/upload/${String(answer.body.id)}`;
    this.offset = this.acknowledged = length;
  }

  private async append(target: Target, path: string, bytes: Buffer): Promise<void> {
    const start = this.offset ?? 0;
    const length = Math.min(this.size - start, this.chunkLength());
    this.offset = null;
    const answer = this.demand(
      await this.send(target, bytes.subarray(start, start + length), start, path),
      200,
    );
    if (answer.body.offset !== start + length) throw this.violation(`${start}+${length} sent`, answer);
    this.offset = this.acknowledged = start + length;
  }

  private async ask(target: Target, path: string): Promise<void> {
    this.doing = 'a question';
    const answer = this.demand(await call(target, path), 200);
    const offset = Number(answer.body.offset);
    if (offset < this.acknowledged) throw this.violation(`${this.acknowledged} were acknowledged`, answer);
    if (offset > this.sent) throw this.violation(`${this.sent} were sent`, answer);
    this.offset = this.acknowledged = offset;
  }

  private async cancel(target: Target): Promise<void> {
    const isRepeated = this.isCancelling;
    this.isCancelling = true;
    const answer = await call(target, this.path ?? '', { method: 'DELETE' });
    // The answer to the first one may be lost.
    this.demand(answer, isRepeated ? [204, 404] : 204);
    this.state = 'gone';
  }

  /** Sends a chunk piece by piece, some of them slowly, so that a server dies in the middle of it. */
  private send(target: Target, chunk: Buffer, start: number, path?: string): Promise<Answer> {
    const { length } = chunk;
    const request = this.isForm
      ? openForm(target, length, { path, start, total: this.size })
      : open(target, path ?? '/upload', {
          method: 'PUT',
          headers: {
            ...chunkHeaders(start, length, this.size),
            ...(path === undefined && this.key !== null && { 'idempotency-key': this.key }),
          },
        });
    this.sent = Math.max(this.sent, start + length);
    this.doing = `a chunk at ${start}`;
    void this.pump(request, chunk);
    return request.answer;
  }

  private async pump(request: OpenRequest, chunk: Buffer): Promise<void> {
    const { head, tail } = multipart();
    if (this.isForm) await request.send(head);
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      await request.send(chunk.subarray(at, at + PIECE_BYTES));
      this.doing += ` ${at}`;
      if (this.isSlow) await sleep(this.random.between(0, 8));
    }
    if (this.isForm) await request.send(tail);
    request.end();
    this.doing += ' whole';
  }

  private chunkLength(): number {
    return this.random.magnitude(64 * KIBIBYTE, 4 * KIBIBYTE * KIBIBYTE);
  }

  private demand(answer: Answer, expected: number | readonly number[]): Answer {
    if ([expected].flat().includes(answer.status)) return answer;
    if (answer.status === 503 && answer.body.code === 'database_unavailable') throw new DatabaseAway();
    throw this.violation(`expected ${String(expected)}`, answer);
  }

  private violation(what: string, { status, body, bytes }: Answer): Violation {
    const told = Object.keys(body).length > 0 ? JSON.stringify(body) : `${bytes.length} bytes`;
    return new Violation(`${this.path ?? 'creation'} of ${this.size} bytes: ${what}, but ${status} ${told}`);
  }
}

class DatabaseAway extends Error {}

function isBrokenConnection(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return /^(ECONNRESET|ECONNREFUSED|EPIPE)$/.test(code ?? '') || /aborted|socket hang up/.test(message);
}
