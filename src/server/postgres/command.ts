import { spawn } from 'node:child_process';

/** How a command went: whether it ended with 0, and all it printed. */
export interface CommandResult {
  readonly ok: boolean;
  readonly output: string;
}

/** Runs a program to its end; resolves also when it could not be started, with the reason as its output. */
export type RunCommand = (
  file: string,
  args: readonly string[],
  variables?: Readonly<Record<string, string>>,
) => Promise<CommandResult>;

/** A user of the operating system, by number. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Runs commands in `directory`, as this process's user or, when this process is root, as another one.
 * Spawning changes the directory before the user, so the folder itself need not be reachable for that user.
 */
export function commandRunner(directory: string, user?: SystemUser): RunCommand {
  return (file, args, variables) =>
    new Promise((resolve) => {
      const child = spawn(file, args, {
        cwd: directory,
        env: { ...neutralEnvironment(), ...variables },
        stdio: ['ignore', 'pipe', 'pipe'],
        ...user,
      });
      let output = '';
      const collect = (text: Buffer): void => void (output += text.toString());
      child.stdout.on('data', collect);
      child.stderr.on('data', collect);
      child.once('error', (error) => resolve({ ok: false, output: error.message }));
      child.once('close', (code) => resolve({ ok: code === 0, output: output.trim() }));
    });
}

/**
 * Like {@link commandRunner} as another user who keeps root's right to pass any folder: for a project below a folder
 * that only root may enter, such as `/root`. PostgreSQL refuses to run as root, but not with this capability.
 */
export function passingRunner(directory: string, user: SystemUser): RunCommand {
  const run = commandRunner(directory);
  const identity = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  // access(2) drops the capability for users other than root unless the fix-up is off, and initdb asks access(2)
  // whether it may run `postgres`.
  const rights = [
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
    '--securebits=+no_setuid_fixup',
  ];
  return (file, args, variables) => run('setpriv', [...identity, ...rights, '--', file, ...args], variables);
}

/** Without what would redirect PostgreSQL (`PGPORT`, `PGDATA`, …) or name a locale that is not installed. */
function neutralEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}
