import type { AbstractChunkedUpload } from '../../persistence/abstract-chunked-upload.entity.js';
import { alone } from '../../persistence/advisory-lock.js';
import { ImportRepository } from '../../persistence/import.repository.js';
import { UploadTable } from '../../persistence/upload-table.js';
import type { UploadType } from '../../upload-type.js';
import type { DjangoTable, DjangoUpload } from './django-table.js';
import { ImportProblem } from './import-problem.js';
import type { MediaFile, MediaFolder } from './media-folder.js';
import { UploadImporter } from './upload-importer.js';

/** The sweep's: bytes come before their row here, and a sweep in between would take them for nobody's. */
const LOCK = 'chunked-upload-sweep';

export interface DjangoImportOptions {
  /** Only looks: rows and sizes are compared, nothing is copied. */
  readonly dryRun: boolean;
  /** Leaves unfinished uploads where they are. */
  readonly completeOnly: boolean;
  /** Links complete files instead of copying them. */
  readonly link: boolean;
  /** `owner_type` here by `<app label>.<model>` there. @default the model */
  readonly owners: ReadonlyMap<string, string>;
  readonly onProblem: (upload: DjangoUpload, problem: ImportProblem) => void;
  readonly onProgress: (report: ImportReport) => void;
  /** Stops between two uploads. */
  readonly signal: AbortSignal;
}

/** What an import did; of problems only the number, as there may be any. */
export interface ImportReport {
  readonly dryRun: boolean;
  /** Imported, or in a dry run: those that would be. */
  complete: number;
  unfinished: number;
  bytes: number;
  /** Imported before. */
  present: number;
  /** Failed or aborted there, or unfinished where only complete ones are wanted. */
  passedOver: number;
  /** Records that Django kept without their files. */
  withoutFile: number;
  problems: number;
}

/** Brings uploads of a Django table into an upload type. Can be repeated: what is here is passed over. */
export class DjangoImport {
  private readonly importer: UploadImporter;

  constructor(
    /** All of the app: an id that any of them has is present. */
    private readonly types: Iterable<UploadType>,
    private readonly target: UploadType,
    private readonly media: MediaFolder,
    private readonly options: DjangoImportOptions,
  ) {
    this.importer = new UploadImporter(target, repositoryOf(target), options);
  }

  /** Null: a sweep or another import is running. Anything that is no problem of one upload ends the import. */
  async run(table: DjangoTable): Promise<ImportReport | null> {
    const { dataSource } = this.target.engine.context.repositories;
    return alone(dataSource, LOCK, async () => {
      const report: ImportReport = {
        dryRun: this.options.dryRun,
        complete: 0,
        unfinished: 0,
        bytes: 0,
        present: 0,
        passedOver: 0,
        withoutFile: 0,
        problems: 0,
      };
      for await (const batch of table.batches()) {
        const known = await this.known(batch);
        for (const upload of batch) {
          if (this.options.signal.aborted) return report;
          await this.bring(upload, known, report);
          this.options.onProgress(report);
        }
      }
      return report;
    });
  }

  private async known(batch: readonly DjangoUpload[]): Promise<ReadonlySet<string>> {
    const ids = batch.map(({ id }) => id).filter((id) => id !== null);
    const sets = await Promise.all([...this.types].map((type) => repositoryOf(type).known(ids)));
    return new Set(sets.flatMap((set) => [...set]));
  }

  private async bring(upload: DjangoUpload, known: ReadonlySet<string>, report: ImportReport): Promise<void> {
    const isComplete = upload.state === 'complete';
    if (upload.id !== null && known.has(upload.id)) report.present++;
    else if (upload.state === 'given up' || (this.options.completeOnly && !isComplete)) report.passedOver++;
    else if (upload.files.length === 0) report.withoutFile++;
    else {
      try {
        const files = await this.filesOf(upload);
        if (!this.options.dryRun) await this.importer.import(upload, files);
        report[isComplete ? 'complete' : 'unfinished']++;
        report.bytes += upload.received;
      } catch (error) {
        if (!(error instanceof ImportProblem)) throw error;
        report.problems++;
        this.options.onProblem(upload, error);
      }
    }
  }

  /** The files of an upload, all there and of the right size. */
  private async filesOf({ name, id, state, files, received, size }: DjangoUpload): Promise<MediaFile[]> {
    if (id === null) throw new ImportProblem('id', `${name} is no UUID`);
    const found: MediaFile[] = [];
    for (const file of files) found.push(await this.media.find(file));
    const stored = found.reduce((sum, { bytes }) => sum + bytes, 0);
    if (stored < received) {
      throw new ImportProblem('short', `the file has ${stored} bytes of the ${received} received`);
    }
    // Behind what was acknowledged of an unfinished one is a torn chunk, which its client sends again.
    if (state === 'complete' && stored > received) {
      throw new ImportProblem('long', `the file has ${stored} bytes, but ${received} were received`);
    }
    if (size !== null && (state === 'complete' ? received !== size : received > size)) {
      throw new ImportProblem('long', `${received} bytes were received of the ${size} declared`);
    }
    return found;
  }
}

function repositoryOf({ name, engine }: UploadType): ImportRepository<AbstractChunkedUpload> {
  const { dataSource } = engine.context.repositories;
  const entity = dataSource.getMetadata(name).target as new () => AbstractChunkedUpload;
  return new ImportRepository(new UploadTable(dataSource, entity));
}
