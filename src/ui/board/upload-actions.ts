import type { AdminUploadBody, BulkResultBody } from '../../admin/admin.response.js';
import type { AdminApi, UploadName } from './admin-api.js';
import { formatUploads } from './format.js';
import { ask } from './question.js';

const EXTENSIONS = [
  { text: '1 hour', value: '1h' },
  { text: '1 day', value: '1d' },
  { text: '7 days', value: '7d' },
] as const;

const UNFINISHED = ['uploading', 'completing'];

/** Whether somebody may still be sending it. */
export const isUnfinished = ({ status }: AdminUploadBody): boolean => UNFINISHED.includes(status);

/** What administrators do to uploads, each after a question. */
export class UploadActions {
  constructor(private readonly api: AdminApi) {}

  /** @returns what became of them, for people; null where nothing was done. @throws AdminApiError. */
  async delete(uploads: readonly AdminUploadBody[]): Promise<string | null> {
    const unfinished = uploads.filter(isUnfinished).length;
    const agreed = await ask({
      title: `Delete ${nameOf(uploads)}?`,
      text:
        'Record and bytes will be gone for good.' +
        (unfinished > 0
          ? ` ${unfinished} of ${uploads.length} unfinished: whoever sends it is cut off.`
          : ''),
      answers: [{ text: 'Delete', value: true }],
      isDangerous: true,
    });
    if (!agreed) return null;
    return tellOf(await this.api.bulk({ action: 'delete', items: namesOf(uploads) }), 'deleted');
  }

  /** @returns as {@link delete} does. @throws AdminApiError. */
  async extend(uploads: readonly AdminUploadBody[]): Promise<string | null> {
    const by = await ask({
      title: `Let ${nameOf(uploads)} live longer?`,
      text: 'The time is added to when it expires, or to now when that is over. Complete uploads do not expire.',
      answers: EXTENSIONS,
      isDangerous: false,
    });
    if (by === null) return null;
    return tellOf(await this.api.bulk({ action: 'extend', items: namesOf(uploads), by }), 'extended');
  }
}

function nameOf(uploads: readonly AdminUploadBody[]): string {
  const [first] = uploads;
  return uploads.length === 1 && first ? `“${first.filename}”` : formatUploads(uploads.length);
}

function namesOf(uploads: readonly AdminUploadBody[]): UploadName[] {
  return uploads.map(({ type, id }) => ({ type, id }));
}

function tellOf({ succeeded, failed, items }: BulkResultBody, done: string): string {
  const reasons = [...new Set(items.flatMap(({ error }) => (error ? [error.detail] : [])))];
  const parts = [
    `${formatUploads(succeeded)} ${done}.`,
    failed > 0 ? `${failed} not: ${reasons.join(' ')}` : '',
  ];
  return parts.filter(Boolean).join(' ');
}
