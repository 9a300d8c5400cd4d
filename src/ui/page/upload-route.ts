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

  /** How an upload stands; null when it is no more. @throws ChunkedUploadError when that cannot be known. */
  async ask(url: string): Promise<ServerUpload | null> {
    return (await orGone(request('GET', url))) as ServerUpload | null;
  }

  /** Deletes an upload; one that is gone is deleted. @throws ChunkedUploadError */
  async discard(url: string): Promise<void> {
    await orGone(request('DELETE', url));
  }
}

async function orGone(answer: Promise<unknown>): Promise<unknown> {
  return answer.catch((error: unknown) => {
    const isGone = error instanceof ChunkedUploadError && (error.status === 404 || error.status === 410);
    if (isGone) return null;
    throw error;
  });
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
