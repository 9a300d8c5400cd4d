import { ChunkedUploadError, type UploadProblem } from '../../client/index.js';

/** An upload as the server tells of it; what an app's `render` leaves out is undefined. */
export interface ServerUpload {
  readonly id: string;
  readonly filename?: string;
  readonly status?: string;
  readonly size?: number | null;
  readonly offset?: number;
  readonly checksums?: Readonly<Record<string, string>>;
  readonly completed_at?: string | null;
}

/**
 * How an upload of an earlier visit stands: bytes the server has, or why that cannot be said. `missing`: cancelled
 * elsewhere, deleted long ago, or of somebody else.
 */
export type Standing = number | 'unknown' | 'complete' | 'expired' | 'missing';

/** What the page asks the server besides uploading: see README, "The endpoint". */
export class UploadRoute {
  /** Absolute. */
  readonly endpoint: string;

  /** @param endpoint relative to the page, or absolute. */
  constructor(endpoint: string) {
    this.endpoint = new URL(endpoint, location.href).href;
  }

  /** Where a finished file is downloaded. */
  contentOf(id: string): string {
    return `${this.endpoint}/${id}/content`;
  }

  /** The newest finished uploads. @throws ChunkedUploadError */
  async finished(): Promise<readonly ServerUpload[]> {
    const page = (await request('GET', `${this.endpoint}?status=complete`)) as { items?: ServerUpload[] };
    return page.items ?? [];
  }

  /** How an upload stands; `unknown` when the server cannot be asked. */
  async standing(url: string): Promise<Standing> {
    try {
      const { status, offset = 0 } = (await request('GET', url)) as ServerUpload;
      return status === 'complete' ? status : offset;
    } catch (error) {
      const { status } = error as ChunkedUploadError;
      if (status === 410) return 'expired';
      return status === 404 ? 'missing' : 'unknown';
    }
  }

  /** Deletes an upload; one that is gone is deleted. @throws ChunkedUploadError */
  async discard(url: string): Promise<void> {
    await request('DELETE', url).catch((error: ChunkedUploadError) => {
      if (error.status !== 404 && error.status !== 410) throw error;
    });
  }
}

async function request(method: string, url: string): Promise<unknown> {
  const answer = await fetch(url, { method, headers: { Accept: 'application/json' } }).catch(() => null);
  if (!answer) throw new ChunkedUploadError('network', 'The server did not answer.', { isRetryable: true });
  const body: unknown = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  const problem = body as UploadProblem;
  throw new ChunkedUploadError(problem.code ?? 'http', problem.detail ?? answer.statusText, {
    status: answer.status,
    problem,
  });
}
