import { type Command, CommanderError } from 'commander';
import { UploadError } from '../errors/upload-error.js';

/** What the process ends with; 0 where everything went well. */
export const EXIT = {
  /** Something could not be done or is not as it should be. */
  failure: 1,
  /** The command was not written as it has to be; nothing was done. */
  usage: 2,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

/** A command that was not written as it has to be. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Something that cannot be done; its message says it all. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}

/**
 * Runs the command line and sets the exit code.
 * @param say Says what went wrong, where the error's message is not enough.
 */
export async function runProgram(program: Command, say: (error: unknown) => void): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      // It has printed what there is to say; a help that was asked for is no error.
      process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
    } else if (error instanceof UsageError) {
      console.error(error.message);
      process.exitCode = EXIT.usage;
    } else {
      if (error instanceof CommandFailure || UploadError.is(error)) console.error(error.message);
      else say(error);
      process.exitCode = EXIT.failure;
    }
  }
}

/** The paragraph about exit codes below a command's help. */
export const EXIT_CODES_HELP =
  '\nExit codes: 0 all went well, 1 something could not be done or found, 2 wrong usage, 130 Ctrl-C.';
