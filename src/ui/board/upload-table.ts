import type { AdminUploadBody } from '../../admin/admin.response.js';
import type { PageNews } from '../../admin/board/live-page.js';
import { UploadRow } from './upload-row.js';

/** What the table needs from the page. */
export interface TableParts {
  readonly body: HTMLElement;
  readonly chooseAll: HTMLInputElement;
  onOpen(upload: AdminUploadBody): void;
  /** Another set of uploads is chosen. */
  onChoose(chosen: readonly AdminUploadBody[]): void;
}

/** The page of the list that is shown. Rows stay the same elements while their uploads change: focus and choice stay. */
export class UploadTable {
  private rows = new Map<string, UploadRow>();

  constructor(private readonly parts: TableParts) {
    parts.chooseAll.addEventListener('change', () => {
      for (const { box } of this.rows.values()) box.checked = parts.chooseAll.checked;
      this.tellChoice();
    });
  }

  get chosen(): AdminUploadBody[] {
    return [...this.rows.values()].filter(({ isChosen }) => isChosen).map(({ upload }) => upload);
  }

  get size(): number {
    return this.rows.size;
  }

  /** The upload as it was last told; undefined when it is not on this page. */
  find(key: string): AdminUploadBody | undefined {
    return this.rows.get(key)?.upload;
  }

  /** Shows these uploads, in this order. @returns whether all of them are known, if not by now then from before. */
  show({ keys, changed }: Pick<PageNews, 'keys' | 'changed'>): boolean {
    const news = new Map(changed.map((upload) => [keyOf(upload), upload]));
    const rows = new Map<string, UploadRow>();
    for (const key of keys) {
      const [upload, row] = [news.get(key), this.rows.get(key)];
      if (row && upload) row.show(upload);
      if (row) rows.set(key, row);
      else if (upload) rows.set(key, this.rowOf(upload));
    }
    this.place(rows);
    return rows.size === keys.length;
  }

  tick(): void {
    const now = Date.now();
    for (const row of this.rows.values()) row.tick(now);
  }

  clearChoice(): void {
    for (const { box } of this.rows.values()) box.checked = false;
    this.tellChoice();
  }

  private rowOf(upload: AdminUploadBody): UploadRow {
    return new UploadRow(upload, {
      onOpen: (opened) => this.parts.onOpen(opened),
      onChoose: () => this.tellChoice(),
    });
  }

  /** Moves nothing that stands where it should: an element that is moved loses the focus. */
  private place(rows: Map<string, UploadRow>): void {
    for (const [key, { line }] of this.rows) if (!rows.has(key)) line.remove();
    this.rows = rows;
    let place = this.parts.body.firstElementChild;
    for (const { line } of rows.values()) {
      if (line === place) place = place.nextElementSibling;
      else this.parts.body.insertBefore(line, place);
    }
    this.tellChoice();
  }

  private tellChoice(): void {
    const { chosen, parts } = this;
    parts.chooseAll.checked = chosen.length > 0 && chosen.length === this.rows.size;
    parts.chooseAll.indeterminate = chosen.length > 0 && chosen.length < this.rows.size;
    parts.onChoose(chosen);
  }
}

/** As the server names uploads in its events. */
export function keyOf({ type, id }: { readonly type: string; readonly id: string }): string {
  return `${type}/${id}`;
}
