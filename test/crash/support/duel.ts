import {
  type Answer,
  call,
  complete,
  content,
  detail,
  put,
  putForm,
  sleep,
  type Target,
  until,
} from '../../engine/support/client.js';
import { type CrashSite } from './crash-site.js';
import type { Failpoint } from './failpoints.js';
import { contentOf, type Random } from '../../support/random.js';
import type { ServerProcess } from './server-process.js';
import { Violation } from './stubborn-client.js';

/** Where a holder is stopped: before its first write, in the middle of a chunk, between sync and commit, in completion. */
export const CHUNK_STOPS = [
  'append.before',
  'append.after',
  'write.before',
  'write.half',
  'write.after',
  'sync.before',
  'sync.after',
  'commit.before',
] as const;
export const COMPLETION_STOPS = ['finish.before', 'rename.before', 'rename.after', 'finish.after'] as const;

/** One upload, two servers: the holder is stopped beyond its lease, the other one takes over, the holder wakes up. */
export class Duel {
  private readonly first: Buffer;
  /** What the stopped holder was sent: nobody must ever read it. */
  private readonly stale: Buffer;
  /** What the other one was sent, at the same offset. */
  private readonly fresh: Buffer;
  private readonly whole: Buffer;
  private path = '';

  constructor(
    private readonly site: CrashSite,
    private readonly servers: { readonly holder: ServerProcess; readonly other: ServerProcess },
    random: Random,
  ) {
    this.first = contentOf(random.between(0, 1e9), random.magnitude(1_000, 300_000));
    const length = random.magnitude(2_000, 300_000);
    this.stale = contentOf(random.between(0, 1e9), length);
    this.fresh = contentOf(random.between(0, 1e9), length);
    this.whole = Buffer.concat([this.first, this.fresh]);
    this.takesHalf = random.chance(0.5) ? 2 : 1;
    this.isForm = random.chance(0.3);
  }

  private readonly takesHalf: number;
  private readonly isForm: boolean;

  /** The holder is stopped while it takes a chunk. */
  async overChunk(at: Failpoint['at'], leaseTtlMs: number): Promise<void> {
    const { holder, other } = this.servers;
    await this.begin(holder, this.whole.length);
    const start = this.first.length;
    await holder.arm({ at, hit: 1, signal: 'SIGSTOP' });
    const send = this.isForm ? putForm : put;
    const late = send(holder, this.stale, { path: this.path, start, total: this.whole.length });
    late.catch(() => undefined);
    await holder.stopped();
    await this.leaseOver(leaseTtlMs);
    // The other one acknowledges more, in one chunk or in two, the second of them while the first holder is awake again.
    const half = Math.ceil(this.fresh.length / this.takesHalf);
    await this.send(other, start, half);
    await this.expectOffset(other, start + half);
    holder.goOn();
    this.expectFenced(await late);
    await this.expectOffset(holder, start + half);
    if (half < this.fresh.length) await this.send(holder, start + half, this.fresh.length - half);
    await this.finish(other);
  }

  /** The holder is stopped while it completes. */
  async overCompletion(at: Failpoint['at'], leaseTtlMs: number): Promise<void> {
    const { holder, other } = this.servers;
    await this.begin(holder, this.whole.length);
    await this.send(holder, this.first.length, this.fresh.length);
    await holder.arm({ at, hit: 1, signal: 'SIGSTOP' });
    const late = complete(holder, this.path, this.whole);
    late.catch(() => undefined);
    await holder.stopped();
    await this.leaseOver(leaseTtlMs);
    await this.finish(other);
    holder.goOn();
    // It may repeat what is true by now, or say that it was taken over; it changes nothing.
    const { status, body } = await late;
    if (status !== 423 && !(status === 200 && body.status === 'complete'))
      this.fail('awake again', status, body);
    await this.expectFinished(holder);
  }

  /** The upload is cancelled while the holder is stopped: whatever that still writes goes too. */
  async overCancellation(at: Failpoint['at']): Promise<void> {
    const { holder, other } = this.servers;
    await this.begin(holder, this.whole.length);
    await holder.arm({ at, hit: 1, signal: 'SIGSTOP' });
    const place = { path: this.path, start: this.first.length, total: this.whole.length };
    const late = put(holder, this.stale, place);
    late.catch(() => undefined);
    await holder.stopped();
    const cancelled = await call(other, this.path, { method: 'DELETE' });
    if (cancelled.status !== 204) this.fail('cancelled', cancelled.status, cancelled.body);
    holder.goOn();
    const { status, body } = await late;
    if (status !== 404) this.fail('cancelled meanwhile', status, body);
    const left = await this.site.files(this.id);
    if (left.length > 0 || (await this.site.row(this.id))) this.fail('cancelled, and left', 0, { left });
  }

  /** An extension that was on its way to the database when its holder was stopped makes the lease last a little longer. */
  private async leaseOver(leaseTtlMs: number): Promise<void> {
    await sleep(leaseTtlMs);
    const held = 'SELECT 1 FROM chunked_upload WHERE id = $1 AND lease_expires_at > now()';
    await until(async () => (await this.site.query(held, [this.id])).length === 0);
  }

  private get id(): string {
    return this.path.split('/').at(-1) ?? '';
  }

  private async begin(target: Target, total: number): Promise<void> {
    const { status, body } = await put(target, this.first, { total });
    if (status !== 200) this.fail('begun', status, body);
    this.path = `/upload/${String(body.id)}`;
  }

  /** Sends bytes of `whole`; the offset then has to be theirs. */
  private async send(target: Target, start: number, length: number): Promise<void> {
    const bytes = this.whole.subarray(start, start + length);
    const place = { path: this.path, start, total: this.whole.length };
    const { status, body } = await put(target, bytes, place);
    if (status !== 200 || body.offset !== start + length) this.fail(`sent from ${start}`, status, body);
  }

  private expectFenced({ status, body }: Answer): void {
    const isFenced = status === 423 || (status === 400 && body.code === 'offset_mismatch');
    if (!isFenced) this.fail('awake again', status, body);
  }

  private async expectOffset(target: Target, offset: number): Promise<void> {
    const { status, body } = await detail(target, this.path);
    if (status !== 200 || body.offset !== offset) this.fail(`acknowledged ${offset}`, status, body);
  }

  private async finish(target: Target): Promise<void> {
    const { status, body } = await complete(target, this.path, this.whole);
    if (status !== 200) this.fail('completed', status, body);
    await this.expectFinished(target);
  }

  /** The file is what was acknowledged, once on disk, and the effect of its completion happened once. */
  private async expectFinished(target: Target): Promise<void> {
    const read = await content(target, this.path);
    if (!read.equals(this.whole)) this.fail('other content', 200, { bytes: read.length });
    const files = await this.site.files(this.id);
    if (files.length !== 1 || !files[0]?.endsWith('.done')) this.fail('files', 0, { files });
    const effects = (await this.site.effects()).get(this.id);
    if (effects !== 1) this.fail('effects', 0, { effects });
  }

  private fail(what: string, status: number, body: object): never {
    throw new Violation(`${this.path}, ${what}: ${status} ${JSON.stringify(body)}`);
  }
}
