import type { AdminUploadBody } from '../../admin/admin.response.js';
import { button, element, setText } from './dom.js';
import { formatDistance, formatInstant, formatReceived, STATUS_NAMES, statusOf } from './format.js';

/** What a row does. */
export interface RowListener {
  onOpen(upload: AdminUploadBody): void;
  onChoose(): void;
}

/** One upload in the table. */
export class UploadRow {
  readonly box = element('input', { type: 'checkbox' });
  readonly line: HTMLTableRowElement;
  private readonly bar = element('progress', { max: 1 });
  private readonly received = element('span', { class: 'amount' });
  private readonly badge = element('span');
  private readonly writing = element('span', { class: 'writing' });
  private readonly who = element('span');
  private readonly time = element('span');

  constructor(
    public upload: AdminUploadBody,
    listener: RowListener,
  ) {
    const { filename, type, id, content_type } = upload;
    const name = button(filename, () => listener.onOpen(this.upload), { class: 'name' });
    const kind = element('small', {}, [type, content_type].filter(Boolean).join(' · '));
    this.box.setAttribute('aria-label', `Choose ${filename}`);
    this.box.addEventListener('change', () => listener.onChoose());
    this.bar.setAttribute('aria-label', `${filename}, received`);
    this.line = element('tr', { role: 'row', 'data-id': id });
    this.line.append(
      cell('choose', '', element('label', {}, this.box)),
      cell('file', '', name, kind),
      cell('received', 'Received', this.bar, this.received),
      cell('status', 'Status', this.badge, this.writing),
      cell('who', 'User, owner', this.who),
      cell('time', 'Time', this.time),
    );
    this.show(upload);
  }

  get isChosen(): boolean {
    return this.box.checked;
  }

  /** Writes what is different now. */
  show(upload: AdminUploadBody): void {
    this.upload = upload;
    const status = statusOf(upload);
    const { progress, lease, owner_type, owner_id, user_id } = upload;
    this.bar.hidden = upload.status === 'complete' || upload.status === 'deleted';
    if (progress === null) this.bar.removeAttribute('value');
    else this.bar.value = progress;
    setText(this.received, formatReceived(upload));
    this.line.dataset.status = status;
    this.badge.className = `badge ${status}`;
    setText(this.badge, STATUS_NAMES[status]);
    setText(this.writing, lease?.is_live ? 'being written' : '');
    const owner = owner_type === null ? null : `${owner_type} ${owner_id}`;
    setText(this.who, [user_id ?? 'anonymous', owner].filter(Boolean).join(', '));
    this.tick(Date.now());
  }

  /** Writes what is different because time went by. */
  tick(now: number): void {
    const { status, expires_at, completed_at, created_at } = this.upload;
    if (completed_at) setText(this.time, `completed ${formatDistance(completed_at, now)}`);
    else if (status === 'deleting' || status === 'deleted' || expires_at === null) {
      setText(this.time, `created ${formatDistance(created_at, now)}`);
    } else {
      setText(
        this.time,
        `${this.upload.is_expired ? 'expired' : 'expires'} ${formatDistance(expires_at, now)}`,
      );
    }
    this.time.title = `Created ${formatInstant(created_at)}`;
  }
}

/** A cell with the name of its column, which narrow screens show beside it. */
function cell(name: string, column: string, ...children: readonly Node[]): HTMLTableCellElement {
  return element('td', { role: 'cell', class: name, 'data-column': column }, ...children);
}
