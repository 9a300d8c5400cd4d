import { Command } from 'commander';
import { addCancelCommand } from './cancel.command.js';
import { addCleanupCommand } from './cleanup.command.js';
import { EXIT_CODES_HELP } from './exit-code.js';
import { addGetCommand } from './get.command.js';
import { addImportDjangoCommand } from './import-django.command.js';
import { addKeysCommand } from './keys.command.js';
import { addListCommand } from './list.command.js';
import type { OpenApp } from './open-app.js';
import { addPutCommand } from './put.command.js';
import { addShowCommand } from './show.command.js';
import { addSweepCommand } from './sweep.command.js';
import { addVerifyCommand } from './verify.command.js';

/** The command line of the module, for any app that `open` boots. */
export function createProgram(open: OpenApp): Command {
  const program = new Command('chunked-upload')
    .description('Looks after chunked uploads, sends and fetches them.')
    .showHelpAfterError()
    // Inherited by the commands: what a caller cannot use is thrown, so that the exit code is chosen in one place.
    .exitOverride()
    .addHelpText('after', EXIT_CODES_HELP);
  addListCommand(program, open);
  addShowCommand(program, open);
  addCancelCommand(program, open);
  addCleanupCommand(program, open);
  addSweepCommand(program, open);
  addVerifyCommand(program, open);
  addKeysCommand(program, open);
  addImportDjangoCommand(program, open);
  addPutCommand(program);
  addGetCommand(program);
  return program;
}
