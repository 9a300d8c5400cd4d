import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OnModuleDestroy, StreamableFile } from '@nestjs/common';
import { UploadError } from '../../errors/upload-error.js';
import type { HttpExchange } from '../../protocols/http/http-exchange.js';
import {
  contentSecurityPolicy,
  readStaticFiles,
  sendStatic,
  type StaticFile,
  staticFile,
} from '../../ui/static-files.js';
import type { ListRequest } from '../admin-list.request.js';
import type { UploadAdmin } from '../upload-admin.js';
import { BoardFeed } from './board-feed.js';
import type { EventStream } from './event-stream.js';

const UI = fileURLToPath(new URL('../../ui/', import.meta.url));
/** Colours and plain elements, which the board has in common with the page for uploaders. */
const THEME = 'theme.css';
const POLICY = contentSecurityPolicy();
const PAGE = 'index.html';

/** What can stand in a url and in HTML as it is. */
const PATH_SEGMENT = /^[\w.~%+@-]*$/;

/** The page for administrators: its files, and the events that keep it live. */
export class UploadBoard implements OnModuleDestroy {
  private readonly files: ReadonlyMap<string, StaticFile>;
  private readonly html: string;
  private readonly feed: BoardFeed;

  /** Reads the files of the board, which come with the package. */
  constructor(admin: UploadAdmin, { readOnly }: { readonly readOnly: boolean }) {
    const theme = readStaticFiles(join(UI, 'page')).filter(({ name }) => name === THEME);
    const files = new Map([...readStaticFiles(join(UI, 'board')), ...theme].map((file) => [file.name, file]));
    this.html = String(files.get(PAGE)?.bytes).replace('{{read-only}}', String(readOnly));
    files.delete(PAGE);
    this.files = files;
    this.feed = new BoardFeed(admin);
  }

  /** Whether the client is a browser that opens a page: it names HTML, and does not like JSON better. */
  wantsPage(exchange: HttpExchange): boolean {
    const html = qualityOf('text/html', exchange.header('accept'));
    return html > 0 && html > qualityOf('application/json', exchange.header('accept'));
  }

  /** The page, with links that are relative to it: no proxy that takes a prefix away makes them wrong. */
  page(exchange: HttpExchange): StreamableFile | undefined {
    const html = this.html.replaceAll('{{folder}}', folderOf(exchange.path));
    return sendStatic(exchange, staticFile(PAGE, Buffer.from(html)), POLICY);
  }

  /** A file of the page. @throws UploadError `not_found`. */
  file(exchange: HttpExchange, name: string): StreamableFile | undefined {
    const file = this.files.get(name);
    if (!file) throw new UploadError('not_found', 'The board has no such file.');
    return sendStatic(exchange, file, POLICY);
  }

  /** What becomes of a page of the list, until the client goes. @throws UploadError as {@link BoardFeed.open}. */
  follow(request: ListRequest): EventStream {
    return this.feed.open(request);
  }

  /** Before Nest waits for open requests: these have no end of their own. */
  onModuleDestroy(): void {
    this.feed.stop();
  }
}

/** Quality of a media type that is named as such in `Accept` (RFC 9110 section 12.5.1), 0 to 1; 0 where it is not. */
function qualityOf(type: string, accept = ''): number {
  for (const range of accept.toLowerCase().split(',')) {
    const [name, ...parameters] = range.split(';').map((part) => part.trim());
    if (name !== type) continue;
    const quality = Number(parameters.find((part) => part.startsWith('q='))?.slice(2) ?? 1);
    return Number.isFinite(quality) ? quality : 0;
  }
  return 0;
}

/** Where the page's files are, from the page: beside a path without a slash at its end, in one with it. */
function folderOf(path: string): string {
  const segment = path.slice(path.lastIndexOf('/') + 1);
  if (!PATH_SEGMENT.test(segment)) throw new UploadError('not_found', 'There is no such page.');
  return segment === '' ? './board/' : `./${segment}/board/`;
}
