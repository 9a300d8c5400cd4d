import type { CleanupBody } from '../../admin/admin-cleanup.response.js';
import type { UsageBody } from '../../admin/admin-usage.response.js';
import type { AdminUploadDetail, AdminUploadPage, BulkResultBody } from '../../admin/admin.response.js';

/** An upload among those of all types. */
export interface UploadName {
  readonly type: string;
  readonly id: string;
}

/** What is done to many uploads at once. */
export type BulkCommand =
  | { readonly action: 'delete'; readonly items: readonly UploadName[] }
  | { readonly action: 'extend'; readonly items: readonly UploadName[]; readonly by: string };

/** The server refused, or could not be reached. */
export class AdminApiError extends Error {
  override readonly name = 'AdminApiError';

  /** @param status Of the answer; 0 where there was none. */
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }

  /** Whether the same request may succeed later. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 423 || this.status >= 500;
  }
}

/** The admin API, from the page. Every method throws {@link AdminApiError}. */
export class AdminApi {
  /** @param root Where the API is, with a slash at its end. */
  constructor(private readonly root: URL) {}

  list(query: URLSearchParams): Promise<AdminUploadPage> {
    return this.ask(`../${this.name}?${query}`);
  }

  detail({ type, id }: UploadName): Promise<AdminUploadDetail> {
    return this.ask(`${encodeURIComponent(type)}/${id}`);
  }

  types(): Promise<{ readonly items: readonly { readonly type: string }[] }> {
    return this.ask('types');
  }

  usage(): Promise<UsageBody> {
    return this.ask('usage?users=5');
  }

  cleanup(): Promise<CleanupBody> {
    return this.ask('cleanup');
  }

  runCleanup(isDryRun: boolean): Promise<CleanupBody> {
    return this.tell('cleanup', { dry_run: isDryRun });
  }

  bulk(command: BulkCommand): Promise<BulkResultBody> {
    return this.tell('bulk', command);
  }

  /** The events about a page of the list. */
  events(query: URLSearchParams): EventSource {
    return new EventSource(new URL(`events?${query}`, this.root));
  }

  /** The last part of the path: the list has no slash behind it. */
  private get name(): string {
    return this.root.pathname.split('/').at(-2) ?? '';
  }

  private tell<Body>(path: string, json: object): Promise<Body> {
    const headers = { 'Content-Type': 'application/json' };
    return this.ask(path, { method: 'POST', headers, body: JSON.stringify(json) });
  }

  private async ask<Body>(path: string, init: RequestInit = {}): Promise<Body> {
    const headers = { Accept: 'application/json', ...(init.headers as Record<string, string>) };
    const response = await fetch(new URL(path, this.root), { ...init, headers }).catch(() => null);
    if (!response) throw new AdminApiError('The server cannot be reached.', 0);
    if (response.ok) return (await response.json()) as Body;
    const problem = (await response.json().catch(() => ({}))) as { readonly detail?: string };
    const detail =
      response.status === 401 ? 'You are signed out. Reload the page to sign in.' : problem.detail;
    throw new AdminApiError(detail ?? `The server answered ${response.status}.`, response.status);
  }
}

/** The API beside which this file is served, whatever is in front of it. */
export function apiOfThisPage(): AdminApi {
  const root = new URL('..', import.meta.url);
  // A browser sends no request to a url that has them.
  [root.username, root.password] = ['', ''];
  return new AdminApi(root);
}
