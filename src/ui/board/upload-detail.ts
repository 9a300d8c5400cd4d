import type { AdminUploadBody, AdminUploadDetail } from '../../admin/admin.response.js';
import { type AdminApi, AdminApiError, type UploadName } from './admin-api.js';
import { button, element } from './dom.js';
import { formatBytes, formatDistance, formatInstant, STATUS_NAMES, statusOf } from './format.js';
import { isUnfinished } from './upload-actions.js';

/** Between two looks at the upload that is open. */
const REFRESH_MS = 2_000;

/** What can be done from the panel; null: this board only reads. */
export interface DetailListener {
  onDelete(upload: AdminUploadBody): void;
  onExtend(upload: AdminUploadBody): void;
}

/** The panel with all there is to know of one upload. It stays up to date while it is open. */
export class UploadDetail {
  private name: UploadName | null = null;
  private upload: AdminUploadDetail | null = null;
  private readonly title = element('h2', { id: 'detail-title' });
  private readonly facts = element('dl');
  private readonly note = element('p', { role: 'status' });
  private readonly actions = element('div', { class: 'buttons' });

  constructor(
    private readonly dialog: HTMLDialogElement,
    private readonly api: AdminApi,
    private readonly listener: DetailListener | null,
  ) {
    const close = button('Close', () => dialog.close());
    dialog.append(element('header', {}, this.title, close), this.note, this.facts, this.actions);
    dialog.addEventListener('close', () => (this.name = null));
    setInterval(() => void this.refresh(), REFRESH_MS);
  }

  open(upload: AdminUploadBody): void {
    this.name = upload;
    this.upload = null;
    this.title.textContent = upload.filename;
    this.note.textContent = '';
    this.facts.replaceChildren();
    this.actions.replaceChildren();
    this.dialog.showModal();
    void this.refresh();
  }

  /** Writes again what depends on the time. */
  tick(): void {
    if (this.name && this.upload) this.show(this.upload);
  }

  async refresh(): Promise<void> {
    const { name } = this;
    if (!name || document.hidden) return;
    try {
      const upload = await this.api.detail(name);
      if (this.name !== name) return;
      this.upload = upload;
      this.note.textContent = '';
      this.show(upload);
      if (this.actions.childElementCount === 0) this.showActions(upload);
    } catch (error) {
      if (this.name !== name) return;
      const isGone = error instanceof AdminApiError && error.status === 404;
      this.note.textContent = isGone ? 'This upload is gone.' : (error as Error).message;
      if (isGone) this.actions.replaceChildren();
    }
  }

  private show(upload: AdminUploadDetail): void {
    const lines = factsOf(upload, Date.now());
    const terms = [...this.facts.querySelectorAll('dd')];
    if (terms.length !== lines.length) {
      this.facts.replaceChildren(
        ...lines.flatMap(([term, text]) => [element('dt', {}, term), element('dd', {}, text)]),
      );
      return;
    }
    // A text that is the same stays the same node: somebody may be copying it.
    for (const [index, [, text]] of lines.entries()) {
      const term = terms[index];
      if (term && term.textContent !== text) term.textContent = text;
    }
  }

  private showActions(upload: AdminUploadDetail): void {
    const { listener } = this;
    if (!listener) return;
    const remove = isUnfinished(upload) ? 'Cancel upload…' : 'Delete…';
    this.actions.replaceChildren(
      ...(isUnfinished(upload)
        ? [button('Extend…', () => listener.onExtend(this.upload ?? upload), { class: 'extend' })]
        : []),
      button(remove, () => listener.onDelete(this.upload ?? upload), { class: 'danger' }),
    );
  }
}

type Fact = readonly [term: string, text: string];

function factsOf(upload: AdminUploadDetail, now: number): Fact[] {
  const { size, owner_type, owner_id, content_type, expires_at, checksums, metadata } = upload;
  const exact = (bytes: number) => `${formatBytes(bytes)} (${bytes.toLocaleString()} bytes)`;
  const when = (instant: string) => `${formatInstant(instant)}, ${formatDistance(instant, now)}`;
  return [
    ['Status', STATUS_NAMES[statusOf(upload)]],
    ['Id', upload.id],
    ['Upload type', upload.type],
    ['Media type', content_type ?? 'unknown'],
    ['Offset', exact(upload.offset)],
    ['Size', size === null ? 'not declared yet' : exact(size)],
    ['In storage', storedOf(upload, exact)],
    ['Writer', writerOf(upload, now)],
    ['Expires', expires_at === null ? 'never' : when(expires_at)],
    ['User', upload.user_id ?? 'anonymous'],
    ['Owner', owner_type === null ? 'none' : `${owner_type} ${owner_id}`],
    ...Object.entries(checksums).map(([algorithm, checksum]): Fact => [algorithm, checksum]),
    ['Created', when(upload.created_at)],
    ['Changed', when(upload.updated_at)],
    ['Completed', upload.completed_at === null ? 'not yet' : when(upload.completed_at)],
    ...Object.entries(metadata).map(([name, value]): Fact => [name, JSON.stringify(value)]),
  ];
}

function storedOf({ storage }: AdminUploadDetail, exact: (bytes: number) => string): string {
  if (storage === null) return 'deleted';
  if (!storage.is_reachable) return 'the storage does not answer';
  return `${storage.bytes === null ? 'nothing' : exact(storage.bytes)} at ${storage.key}`;
}

function writerOf({ lease }: AdminUploadDetail, now: number): string {
  if (lease === null) return 'nobody';
  if (!lease.is_live) return 'gone silent: the next request takes over';
  return lease.held_until === null
    ? 'writing'
    : `writing, holds it for ${formatDistance(lease.held_until, now).replace('in ', '')}`;
}
