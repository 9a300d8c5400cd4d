import { Command } from 'commander';
import { addCleanupCommand, type OpenApp } from './cleanup.command.js';
import { addSweepCommand } from './sweep.command.js';

/** The command line of the module, for any app that `open` boots. */
export function createProgram(open: OpenApp): Command {
  const program = new Command('chunked-upload')
    .description('Looks after chunked uploads.')
    .showHelpAfterError();
  addCleanupCommand(program, open);
  addSweepCommand(program, open);
  return program;
}
