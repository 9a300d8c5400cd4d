import type { Command } from 'commander';
import { UploadError } from '../errors/upload-error.js';
import type { UploadType } from '../upload-type.js';
import { UploadsService } from '../uploads.service.js';
import { Dialog } from './dialog.js';
import { EXIT, EXIT_CODES_HELP } from './exit-code.js';
import { type OpenApp, withApp } from './open-app.js';
import { collectIds } from './option-parsers.js';
import { noUpload } from './show.command.js';
import { findUpload, type Found, typesOf } from './upload-lookup.js';
import { uploadLine } from './upload-view.js';

/** Adds `cancel`. Exits 1 when an upload was not there or could not be deleted, and when the answer was no. */
export function addCancelCommand(program: Command, open: OpenApp): void {
  program
    .command('cancel')
    .description('delete uploads in any state, complete ones too, rows and bytes; who is writing is cut off')
    .argument('<id...>', 'their ids, whatever their types', collectIds)
    .option('-y, --yes', 'without asking')
    .addHelpText('after', EXIT_CODES_HELP)
    .action(async (ids: readonly string[], { yes }: { readonly yes?: boolean }) => {
      if (!yes) Dialog.require('Add --yes to delete without a question.');
      await withApp(open, async (app) => {
        const found = await findAll(typesOf(app), ids);
        if (found.length === 0) return;
        if (!yes && !(await agreed(found))) process.exitCode = EXIT.failure;
        else for (const upload of found) await cancel(upload);
      });
    });
}

async function findAll(types: readonly UploadType[], ids: readonly string[]): Promise<Found[]> {
  const all: Found[] = [];
  for (const id of ids) {
    const found = await findUpload(types, id);
    if (found) all.push(found);
    else fail(noUpload(id));
  }
  return all;
}

async function agreed(found: readonly Found[]): Promise<boolean> {
  for (const { type, sighting } of found) console.error(uploadLine({ type, upload: sighting.upload }));
  const dialog = Dialog.open();
  const answer = await dialog.ask(found.length === 1 ? 'Delete it?' : `Delete these ${found.length}?`, [
    'yes',
    'no',
  ]);
  dialog.close();
  return answer === 'yes';
}

async function cancel({ type, sighting: { upload } }: Found): Promise<void> {
  try {
    await new UploadsService(type).delete(upload.id);
    console.log(`Deleted ${upload.id}.`);
  } catch (error) {
    if (!UploadError.is(error)) throw error;
    fail(`${upload.id}: ${error.message}`);
  }
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = EXIT.failure;
}
