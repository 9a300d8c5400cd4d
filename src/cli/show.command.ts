import { type Command } from 'commander';
import { EXIT, EXIT_CODES_HELP } from './exit-code.js';
import { type OpenApp, withApp } from './open-app.js';
import { parseId } from './option-parsers.js';
import { moment, visible } from './text.js';
import { findUpload, type Found, typesOf } from './upload-lookup.js';
import { uploadJson } from './upload-view.js';

/** Adds `show`. Exits 1 when there is no such upload. */
export function addShowCommand(program: Command, open: OpenApp): void {
  program
    .command('show')
    .description('show everything about an upload')
    .argument('<id>', 'its id, whatever its type', parseId)
    .option('--json', 'print a JSON object')
    .addHelpText('after', EXIT_CODES_HELP)
    .action(async (id: string, { json }: { readonly json?: boolean }) => {
      const found = await withApp(open, (app) => findUpload(typesOf(app), id));
      if (!found) {
        console.error(noUpload(id));
        process.exitCode = EXIT.failure;
        return;
      }
      const view = viewOf(found);
      console.log(json ? JSON.stringify(view) : describe(view));
    });
}

/** Said of an id that no upload has. */
export function noUpload(id: string): string {
  return `There is no upload ${id}.`;
}

function viewOf({ type, sighting: { upload, isExpired, leaseSeconds } }: Found): Record<string, unknown> {
  return { ...uploadJson({ type, upload }), isExpired, isBeingWritten: leaseSeconds !== null };
}

function describe(view: Record<string, unknown>): string {
  const width = Math.max(...Object.keys(view).map((name) => name.length));
  return Object.entries(view)
    .map(([name, value]) => `${name.padEnd(width)}  ${textOf(value)}`)
    .join('\n');
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (value instanceof Date) return moment(value);
  return visible(typeof value === 'string' ? value : JSON.stringify(value));
}
