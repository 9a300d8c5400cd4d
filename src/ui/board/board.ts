import type { AdminUploadBody, AdminUploadPage } from '../../admin/admin.response.js';
import { type AdminApi, AdminApiError } from './admin-api.js';
import { createCleanupPanel } from './cleanup-panel.js';
import { byId, setHidden, setText } from './dom.js';
import { FilterForm } from './filter-form.js';
import { formatUploads } from './format.js';
import { ListQuery } from './list-query.js';
import { LiveList, type LiveListener } from './live-list.js';
import { StatusCounts } from './status-counts.js';
import { UploadActions } from './upload-actions.js';
import { UploadDetail } from './upload-detail.js';
import { keyOf, UploadTable } from './upload-table.js';
import { createUsagePanel } from './usage-panel.js';

const TICK_MS = 1_000;
const RETRY_MS = 5_000;

const LIVE_TEXTS = {
  live: 'Live',
  interrupted: 'Connection lost, trying again…',
  trouble: 'The server has trouble, trying again…',
  lost: 'Not live',
} as const satisfies Record<Parameters<LiveListener['onState']>[0], string>;

/** The whole page: what is shown follows the url, and what happens on the server follows by itself. */
export class Board {
  private query = ListQuery.of(location.search);
  private nextCursor: string | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private readonly isReadOnly = document.documentElement.dataset.readOnly === 'true';
  private readonly notice = byId('notice', HTMLElement);
  private readonly actions: UploadActions;
  private readonly table: UploadTable;
  private readonly detail: UploadDetail;
  private readonly live: LiveList;
  private readonly counts: StatusCounts;
  private readonly filters: FilterForm;

  constructor(private readonly api: AdminApi) {
    this.actions = new UploadActions(api);
    this.table = new UploadTable({
      body: byId('rows', HTMLElement),
      chooseAll: byId('choose-all', HTMLInputElement),
      onOpen: (upload) => this.detail.open(upload),
      onChoose: (chosen) => this.showChoice(chosen),
    });
    const listener = {
      onDelete: (upload: AdminUploadBody) => void this.act(() => this.actions.delete([upload])),
      onExtend: (upload: AdminUploadBody) => void this.act(() => this.actions.extend([upload])),
    };
    this.detail = new UploadDetail(byId('detail', HTMLDialogElement), api, this.isReadOnly ? null : listener);
    this.counts = new StatusCounts(byId('counts', HTMLElement), (status) => this.go({ status }));
    this.filters = new FilterForm(
      (query) => this.visit(query),
      () => this.query,
    );
    this.live = new LiveList(api, {
      onPage: ({ next_cursor, ...news }) => {
        // A page that came in between was missed: the whole one is asked for.
        if (this.table.show(news)) this.showPager(next_cursor);
        else void this.load();
      },
      onCounts: (counts) => this.counts.show(counts),
      onState: (state) => this.showState(state),
    });
  }

  start(): void {
    byId('mode', HTMLElement).hidden = !this.isReadOnly;
    createCleanupPanel(this.api, this.isReadOnly);
    createUsagePanel(this.api);
    this.onClick('newest', () => this.go({}));
    this.onClick('older', () => this.nextCursor !== null && this.go({ cursor: this.nextCursor }));
    this.onClick('delete-chosen', () => void this.act(() => this.actions.delete(this.table.chosen)));
    this.onClick('extend-chosen', () => void this.act(() => this.actions.extend(this.table.chosen)));
    addEventListener('popstate', () => {
      this.query = ListQuery.of(location.search);
      void this.load();
    });
    setInterval(() => {
      this.table.tick();
      this.detail.tick();
    }, TICK_MS);
    void this.api.types().then(
      ({ items }) => this.filters.offerTypes(items),
      () => undefined,
    );
    void this.load();
  }

  private onClick(id: string, work: () => void): void {
    byId(id, HTMLButtonElement).addEventListener('click', work);
  }

  private go(values: Readonly<Record<string, string>>): void {
    this.visit(this.query.with(values));
  }

  private visit(query: ListQuery): void {
    this.query = query;
    history.pushState(null, '', query.forUrl);
    this.table.clearChoice();
    void this.load();
  }

  /** Asks for the page and follows it; what a later visit asks for comes before. */
  private async load(): Promise<void> {
    clearTimeout(this.retry);
    const { query } = this;
    this.filters.show(query);
    this.counts.choose(query.get('status'));
    try {
      const page = await this.api.list(query.forApi);
      if (query !== this.query) return;
      this.say(null);
      this.showPage(page);
      this.live.follow(query.forApi);
    } catch (error) {
      if (query === this.query) this.fail(error as Error);
    }
  }

  private showPage({ items, next_cursor }: AdminUploadPage): void {
    this.table.show({ keys: items.map(keyOf), changed: items });
    this.showPager(next_cursor);
  }

  private showPager(nextCursor: string | null): void {
    this.nextCursor = nextCursor;
    byId('older', HTMLButtonElement).hidden = nextCursor === null;
    byId('newest', HTMLButtonElement).hidden = this.query.get('cursor') === '';
    const [empty, isEmpty] = [byId('empty', HTMLElement), this.table.size === 0];
    empty.hidden = !isEmpty;
    setHidden(byId('uploads', HTMLTableElement), isEmpty, empty);
  }

  private showChoice({ length }: readonly AdminUploadBody[]): void {
    const isHidden = this.isReadOnly || length === 0;
    setHidden(byId('bulk', HTMLElement), isHidden, byId('choose-all', HTMLInputElement));
    setText(byId('chosen', HTMLElement), `${formatUploads(length)} chosen`);
  }

  private showState(state: keyof typeof LIVE_TEXTS): void {
    const shown = byId('live', HTMLElement);
    shown.dataset.state = state;
    setText(shown, LIVE_TEXTS[state]);
    // The list says why there are no events any more, or has them again.
    if (state === 'lost') this.retryLater();
  }

  private retryLater(): void {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.load(), RETRY_MS);
  }

  private fail(error: Error): void {
    this.say(error.message, true);
    this.showState('lost');
    if (!(error instanceof AdminApiError && error.isPassing)) clearTimeout(this.retry);
  }

  private async act(work: () => Promise<string | null>): Promise<void> {
    try {
      const done = await work();
      if (done === null) return;
      this.table.clearChoice();
      await Promise.all([this.load(), this.detail.refresh()]);
      this.say(done);
    } catch (error) {
      this.say((error as Error).message, true);
    }
  }

  private say(text: string | null, isBad = false): void {
    this.notice.hidden = text === null;
    this.notice.classList.toggle('bad', isBad);
    setText(this.notice, text ?? '');
  }
}
