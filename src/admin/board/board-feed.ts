import { setTimeout as sleep } from 'node:timers/promises';
import { UploadError } from '../../errors/upload-error.js';
import type { ListRequest } from '../admin-list.request.js';
import { renderPage } from '../admin.response.js';
import type { UploadAdmin } from '../upload-admin.js';
import { EventStream, eventText, HEARTBEAT } from './event-stream.js';
import { LivePage } from './live-page.js';

/** Between two looks at a page. */
const LOOK_MS = 1_000;
/** Between two counts of all uploads. */
const COUNT_MS = 5_000;
/** A statement that takes long is followed by a rest this many times as long: the board is never a load to the database. */
const REST_FACTOR = 20;
const HEARTBEAT_MS = 15_000;
/** Then a client comes back, past the guards: who may not look any more stops seeing. */
const MAX_STREAM_MS = 10 * 60_000;
const MAX_STREAMS = 100;

/**
 * Tells boards what changes. One loop for all of them, which runs while there are any: it asks for each page that somebody
 * looks at once a second, one statement after the other, and compares.
 *
 * It asks for pages, by key, and not for rows by `updated_at`: that needs no index, which each chunk of each upload would
 * have to write, shows what changes no `updated_at` (leases, expiry, deletions), and misses nothing that is committed late.
 */
export class BoardFeed {
  private readonly pages = new Map<string, LivePage>();
  private readonly stopped = new AbortController();
  private counts: { readonly text: string; readonly restsUntil: number } = { text: '', restsUntil: 0 };
  private isRunning = false;
  private beatAt = 0;

  constructor(private readonly admin: UploadAdmin) {}

  /** Follows a page of the list until the client goes. @throws UploadError `shutting_down`; `busy` with too many clients. */
  open(request: ListRequest): EventStream {
    if (this.stopped.signal.aborted) throw new UploadError('shutting_down', 'The server is stopping.');
    if (this.streams.length >= MAX_STREAMS) {
      throw new UploadError('busy', 'Too many boards are open.', { retryAfter: 30 });
    }
    const stream = new EventStream();
    const key = JSON.stringify(request);
    const page = this.pages.get(key) ?? new LivePage(request);
    this.pages.set(key, page);
    page.join(stream);
    stream.send(this.counts.text);
    stream.once('close', () => {
      page.streams.delete(stream);
      if (page.streams.size === 0) this.pages.delete(key);
    });
    if (!this.isRunning) void this.run();
    return stream;
  }

  /** Ends all streams; no further one is opened. */
  stop(): void {
    this.stopped.abort();
    for (const stream of this.streams) stream.finish();
  }

  private get streams(): EventStream[] {
    return [...this.pages.values()].flatMap(({ streams }) => [...streams]);
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    while (this.pages.size > 0 && !this.stopped.signal.aborted) {
      const began = Date.now();
      for (const page of this.pages.values()) await this.look(page);
      await this.count();
      this.beat();
      const restMs = Math.max(0, began + LOOK_MS - Date.now());
      await sleep(restMs, null, { signal: this.stopped.signal }).catch(() => null);
    }
    this.isRunning = false;
  }

  private async look(page: LivePage): Promise<void> {
    const began = Date.now();
    if (began < page.restsUntil) return;
    try {
      page.show(renderPage(await this.admin.list(page.request), page.request.limit));
    } catch (error) {
      const code = UploadError.is(error) ? error.code : 'internal_error';
      page.fail(eventText('trouble', { code }));
    }
    page.restsUntil = restAfter(began, LOOK_MS);
  }

  private async count(): Promise<void> {
    const began = Date.now();
    if (began < this.counts.restsUntil) return;
    // Who counts in vain hears of it by the page, which is asked of the same database.
    const counts = await this.admin.counts().catch(() => null);
    const text = counts ? eventText('counts', counts) : '';
    if (text !== this.counts.text) for (const stream of this.streams) stream.send(text);
    this.counts = { text, restsUntil: restAfter(began, COUNT_MS) };
  }

  private beat(): void {
    const now = Date.now();
    if (now < this.beatAt) return;
    this.beatAt = now + HEARTBEAT_MS;
    for (const stream of this.streams) {
      if (now > stream.openedAt + MAX_STREAM_MS) stream.finish();
      else stream.send(HEARTBEAT);
    }
  }
}

/** When something that began then may be done again; a look that was quick is not kept from the next beat of the loop. */
function restAfter(began: number, everyMs: number): number {
  const tookMs = Date.now() - began;
  const restMs = tookMs * REST_FACTOR;
  return restMs < everyMs ? began + everyMs - LOOK_MS / 2 : began + tookMs + restMs;
}
