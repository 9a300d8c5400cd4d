import type { ListRequest } from '../admin-list.request.js';
import type { AdminUploadBody, AdminUploadPage } from '../admin.response.js';
import { type EventStream, eventText } from './event-stream.js';

/** Names an upload among those of all types. */
type RowKey = string;

/** What a page has become, for those who know what it was. */
export interface PageNews {
  /** Type and id of all its uploads, in order. */
  readonly keys: readonly RowKey[];
  /** Those that are new or changed. */
  readonly changed: readonly AdminUploadBody[];
  readonly next_cursor: string | null;
}

/** A page of the list that somebody looks at, and all who do. */
export class LivePage {
  readonly streams = new Set<EventStream>();
  /** When it may be looked at again, in milliseconds of the clock. */
  restsUntil = 0;
  private shown: AdminUploadPage | null = null;
  private rows: ReadonlyMap<RowKey, string> = new Map();

  constructor(readonly request: ListRequest) {}

  /** Sends a newcomer what the others have already. */
  join(stream: EventStream): void {
    this.streams.add(stream);
    if (this.shown) stream.send(newsOf(this.shown, this.shown.items));
  }

  /** Tells what is different, if anything is. */
  show(page: AdminUploadPage): void {
    const rows = new Map(page.items.map((item) => [keyOf(item), JSON.stringify(item)]));
    const changed = page.items.filter((item) => this.rows.get(keyOf(item)) !== rows.get(keyOf(item)));
    // Their order is that of their creation: the same uploads are never in another one.
    const isSame =
      changed.length === 0 && rows.size === this.rows.size && page.next_cursor === this.shown?.next_cursor;
    [this.shown, this.rows] = [page, rows];
    if (!isSame) this.tell(newsOf(page, changed));
  }

  /** The page could not be looked at; afterwards it is told whole, for those who saw nothing meanwhile. */
  fail(text: string): void {
    [this.shown, this.rows] = [null, new Map()];
    this.tell(text);
  }

  private tell(text: string): void {
    for (const stream of this.streams) stream.send(text);
  }
}

function newsOf({ items, next_cursor }: AdminUploadPage, changed: readonly AdminUploadBody[]): string {
  return eventText('page', { keys: items.map(keyOf), changed, next_cursor } satisfies PageNews);
}

function keyOf({ type, id }: AdminUploadBody): RowKey {
  return `${type}/${id}`;
}
