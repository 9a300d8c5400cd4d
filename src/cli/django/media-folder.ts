import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { systemCode } from '../../errors/system-code.js';
import { ImportProblem } from './import-problem.js';

const PIECE_BYTES = 1024 * 1024;
/** A fifo in that place would keep us waiting for its writer; a link was resolved before. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A file under the media folder, links resolved. */
export interface MediaFile {
  readonly path: string;
  readonly bytes: number;
}

/** Django's MEDIA_ROOT. Paths come out of a table and are not trusted: what is not below the folder is not read. */
export class MediaFolder {
  private constructor(private readonly root: string) {}

  /** @throws Error when the folder is not there. */
  static async open(path: string): Promise<MediaFolder> {
    const root = await realpath(path).catch((error: unknown) => {
      throw new Error(`The media folder ${path} is not there.`, { cause: error });
    });
    return new MediaFolder(root);
  }

  /** @throws ImportProblem `missing`, `outside`. */
  async find(name: string): Promise<MediaFile> {
    const path = await this.inside(name);
    const file = await openFile(path, name);
    try {
      const found = await file.stat();
      if (!found.isFile()) throw new ImportProblem('missing', `${name} is no file`);
      return { path, bytes: found.size };
    } finally {
      await file.close();
    }
  }

  private async inside(name: string): Promise<string> {
    // NUL would be an error of Node's, about its own arguments.
    const path = await realpath(resolve(this.root, name.replaceAll('\0', '\uFFFD'))).catch(
      (error: unknown) => {
        throw missing(name, error);
      },
    );
    if (path.startsWith(this.root.endsWith(sep) ? this.root : this.root + sep)) return path;
    throw new ImportProblem('outside', `${name} is not in the media folder`);
  }
}

/** The first `length` bytes of files one behind the other. @throws ImportProblem `short`, `missing`. */
export async function* readFiles(files: readonly MediaFile[], length: number): AsyncGenerator<Buffer> {
  let left = length;
  for (const { path } of files) {
    if (left === 0) return;
    const file = await openFile(path, path);
    // Closes the file, at whichever end this stops.
    const stream = file.createReadStream({ start: 0, end: left - 1, highWaterMark: PIECE_BYTES });
    for await (const piece of stream) {
      left -= (piece as Buffer).length;
      yield piece as Buffer;
    }
  }
  if (left > 0) throw new ImportProblem('short', `${left} bytes were gone while they were read`);
}

async function openFile(path: string, name: string): Promise<FileHandle> {
  return open(path, FLAGS).catch((error: unknown) => {
    throw missing(name, error);
  });
}

/** Anything but a file that is not there is told as it is: a folder that may not be read says nothing of one upload. */
function missing(name: string, error: unknown): unknown {
  const code = systemCode(error) ?? '';
  if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ENXIO'].includes(code)) return error;
  return new ImportProblem('missing', `${name} is not there`, { cause: error });
}
