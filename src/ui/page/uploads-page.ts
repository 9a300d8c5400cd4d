import {
  type ChunkedUpload,
  type ChunkedUploadError,
  IndexedDbStore,
  type StoredUpload,
  UploadQueue,
  type UploadResult,
} from '../../client/index.js';
import type { Announcer } from './announcer.js';
import { whatHappened, wordsFor } from './error-words.js';
import { finishedRow } from './finished-row.js';
import type { RowList } from './row-list.js';
import { type LeftStanding, UnfinishedRow } from './unfinished-row.js';
import type { ServerUpload, UploadRoute } from './upload-route.js';
import { UploadRow } from './upload-row.js';

/** What the page is made of. */
export interface PageParts {
  readonly route: UploadRoute;
  readonly current: RowList;
  readonly unfinished: RowList;
  readonly finished: RowList;
  readonly announcer: Announcer;
  /** Gets the keyboard when what it was on is gone. */
  readonly home: HTMLElement;
}

/** Failures in a row that are worth a word: one or two are over before it is said. */
const LASTING_TROUBLE = 3;

/** How long uploads that the server does not show are remembered. */
const KEPT_MS = 30 * 24 * 3_600_000;

/** Uploads of this visit, unfinished ones of earlier visits, and finished ones: what there is, and how it moves. */
export class UploadsPage {
  private readonly store = new IndexedDbStore();
  private readonly queue: UploadQueue;
  private readonly files = new Map<ChunkedUpload, File>();
  private readonly finished = new Map<string, ServerUpload>();
  private unfinishedRows = new Map<string, HTMLElement>();

  constructor(private readonly parts: PageParts) {
    this.queue = new UploadQueue({ endpoint: parts.route.endpoint, store: this.store });
  }

  /** Begins uploads, or goes on with those that were begun with these files on an earlier visit. */
  add(files: readonly File[]): void {
    // Two of one choice with the same name, size and time are two files, of two folders.
    const known = [...this.files];
    for (const file of files) {
      const same = known.find(([, other]) => isSameFile(file, other))?.[0];
      if (same) void same.start().catch(() => undefined);
      else this.follow(this.queue.add(file), file);
    }
    if (files.length > 0)
      this.say(files.length === 1 ? `${files[0]?.name} added.` : `${files.length} files added.`);
  }

  /** Asks for what was left unfinished on earlier visits. */
  async showUnfinished(): Promise<void> {
    const { route, unfinished } = this.parts;
    const entries = (await this.store.list(null).catch(() => [])).filter(
      (each) => each.endpoint === route.endpoint,
    );
    const standings = await Promise.all(entries.map((entry) => this.ask(entry)));
    if (unfinished.hasFocus) return;
    const isOurs = (url: string) => this.queue.uploads.some((upload) => upload.url === url);
    const rows = entries.flatMap((entry, index) => {
      const standing = standings[index] ?? null;
      return standing === null || isOurs(entry.url)
        ? []
        : [[entry.url, this.unfinishedRow(entry, standing)] as const];
    });
    this.unfinishedRows = new Map(rows);
    unfinished.replace([...this.unfinishedRows.values()]);
  }

  /** Asks the server for finished uploads. */
  async showFinished(): Promise<void> {
    const { route, finished } = this.parts;
    try {
      for (const upload of await route.finished()) this.finished.set(upload.id, upload);
      finished.explain('');
    } catch (error) {
      finished.explain(wordsFor(error as ChunkedUploadError));
    }
    const newest = [...this.finished.values()].sort((a, b) => timeOf(b) - timeOf(a));
    if (!finished.hasFocus) finished.replace(newest.map((upload) => this.finishedRow(upload)));
  }

  private follow(upload: ChunkedUpload, file: File): void {
    const { current, home } = this.parts;
    const row = new UploadRow(upload, file, () => void cancel());
    this.files.set(upload, file);
    current.append(row.element);
    const end = () => {
      this.files.delete(upload);
      this.queue.remove(upload);
      current.remove(row.element, home);
    };
    const cancel = () =>
      upload.cancel().catch((error: ChunkedUploadError) => {
        // Still on the server: it is listed as unfinished.
        this.say(`${file.name} is stopped, but not deleted. ${wordsFor(error)}`);
        end();
        return this.showUnfinished();
      });
    upload.on('created', ({ url }) => this.takeFromUnfinished(url));
    upload.on('statechange', (state) => {
      if (state === 'paused') this.say(`${file.name} is paused.`);
      if (state === 'offline') this.say('There is no network. Uploads go on when it is back.');
    });
    upload.on('retry', ({ error, attempt }) => {
      if (attempt === LASTING_TROUBLE) this.say(`${file.name} waits. ${whatHappened(error)}`);
    });
    upload.on('error', (error) => this.say(`${file.name}: ${wordsFor(error)}`));
    upload.on('cancel', () => {
      this.say(`${file.name} is cancelled.`);
      end();
    });
    upload.on('complete', (result) => this.finish(result, row.hasFocus, end));
  }

  private finish(result: UploadResult, hadFocus: boolean, end: () => void): void {
    const { id, filename, size, checksum } = result;
    const checksums = checksum ? { [checksum.algorithm]: checksum.hex } : {};
    const upload = { id, filename, size, checksums, completed_at: new Date().toISOString() };
    const row = this.finishedRow(upload);
    this.finished.set(id, upload);
    this.parts.finished.prepend(row);
    this.say(`${filename} is complete.`);
    end();
    if (hadFocus) row.querySelector('a')?.focus();
  }

  /** Null for those that nothing can be done about here. */
  private async ask({ key, url, createdAt }: StoredUpload): Promise<LeftStanding | null> {
    const standing = await this.parts.route.standing(url);
    if (standing !== 'complete' && standing !== 'missing') return standing;
    // What is missing may be somebody else's, who signs in again here.
    const isForgotten = standing === 'complete' || createdAt < Date.now() - KEPT_MS;
    if (isForgotten) await this.store.delete(key).catch(() => undefined);
    return null;
  }

  private unfinishedRow(entry: StoredUpload, standing: LeftStanding): HTMLElement {
    return new UnfinishedRow(entry, standing, {
      goOn: (file) => this.add([file]),
      uploadAsNew: (file) => this.add([file]),
      discard: async () => {
        await this.parts.route.discard(entry.url);
        await this.store.delete(entry.key);
        this.takeFromUnfinished(entry.url);
        this.say(`${entry.filename} is discarded.`);
      },
    }).element;
  }

  private takeFromUnfinished(url: string): void {
    const row = this.unfinishedRows.get(url);
    this.unfinishedRows.delete(url);
    if (row) this.parts.unfinished.remove(row, this.parts.home);
  }

  private finishedRow(upload: ServerUpload): HTMLLIElement {
    return finishedRow(upload, this.parts.route.contentOf(upload.id));
  }

  private say(message: string): void {
    this.parts.announcer.say(message);
  }
}

function isSameFile(one: File, other: File): boolean {
  return one.name === other.name && one.size === other.size && one.lastModified === other.lastModified;
}

function timeOf({ completed_at: at }: ServerUpload): number {
  return at ? Date.parse(at) : 0;
}
