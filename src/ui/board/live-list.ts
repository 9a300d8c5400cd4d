import type { PageNews } from '../../admin/board/live-page.js';
import type { StatusCounts } from '../../persistence/admin-counts.js';
import type { AdminApi } from './admin-api.js';

/** What a {@link LiveList} tells. */
export interface LiveListener {
  onPage(news: PageNews): void;
  onCounts(counts: StatusCounts): void;
  /** `lost`: the server does not answer, or refuses; this list is over. */
  onState(state: 'live' | 'interrupted' | 'trouble' | 'lost'): void;
}

/** Follows a page of the list by server-sent events, while somebody can see it. */
export class LiveList {
  private source: EventSource | null = null;
  private query: URLSearchParams | null = null;

  constructor(
    private readonly api: AdminApi,
    private readonly listener: LiveListener,
  ) {
    // A tab in the background costs nothing, and comes back whole.
    document.addEventListener('visibilitychange', () => this.open());
  }

  /** Follows this page, and no longer the one before. */
  follow(query: URLSearchParams): void {
    this.query = query;
    this.open();
  }

  private open(): void {
    this.source?.close();
    this.source = null;
    if (document.hidden || !this.query) return;
    const source = (this.source = this.api.events(this.query));
    const on = (event: string, work: (data: string) => void): void =>
      source.addEventListener(event, (message) => {
        if (this.source === source) work((message as MessageEvent<string>).data);
      });
    on('open', () => this.listener.onState('live'));
    on('page', (data) => {
      this.listener.onPage(JSON.parse(data) as PageNews);
      this.listener.onState('live');
    });
    on('counts', (data) => this.listener.onCounts(JSON.parse(data) as StatusCounts));
    on('trouble', () => this.listener.onState('trouble'));
    // A browser tries again by itself after a broken connection, but not after a refusal.
    on('error', () =>
      this.listener.onState(source.readyState === EventSource.CLOSED ? 'lost' : 'interrupted'),
    );
  }
}
