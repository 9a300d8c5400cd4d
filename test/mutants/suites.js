import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';

/** Enough for all killers in a row on a slow machine. */
const TIMEOUT_MS = 600_000;

/**
 * Runs the named tests in a workspace. Tells the names of those that ran and of those that failed; `broken` is set when
 * a suite could not run at all.
 */
export async function runSuites(workspace, tests) {
  const report = path.join(workspace.root, 'report.json');
  await rm(report, { force: true });
  const suites = [...new Set(tests.map(({ suite }) => suite))];
  const names = [...new Set(tests.map(({ test }) => test.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))];
  const output = await jest(workspace, [
    ...['--runTestsByPath', ...suites, '--testNamePattern', names.join('|')],
    ...['--json', `--outputFile=${report}`, `--cacheDirectory=${workspace.cache}`],
    // Suites of both configurations, one by one. A mutant may leave connections open: nobody waits for them.
    ...['--testPathIgnorePatterns=/node_modules/', '--maxWorkers=1', '--forceExit'],
  ]);
  const text = await readFile(report, 'utf8').catch(() => null);
  if (text === null) return { failed: [], broken: output, names: [] };
  return read(JSON.parse(text));
}

function read({ testResults, numRuntimeErrorTestSuites }) {
  const ran = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'passed' || status === 'failed');
  return {
    names: ran.map(({ fullName }) => fullName),
    failed: ran.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
    broken: numRuntimeErrorTestSuites > 0 ? testResults.map(({ message }) => message).join('\n') : null,
  };
}

/** Runs jest; what it said, for when there is no report. An interruption ends jest first, and with it its PostgreSQL. */
function jest(workspace, options) {
  const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const child = spawn(process.execPath, [...node, 'node_modules/jest/bin/jest.js', ...options], {
    cwd: workspace.root,
    env: { ...process.env, TMPDIR: workspace.temporary },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  const output = [];
  child.stderr.on('data', (text) => output.push(text));
  return new Promise((resolve, reject) => {
    let isInterrupted = false;
    const interrupt = () => {
      isInterrupted = true;
      child.kill();
    };
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
    child.on('error', reject).on('close', (_, signal) => {
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
      if (isInterrupted) reject(new Error('Interrupted.'));
      else resolve(`${signal ?? ''} ${output.join('').slice(-4000)}`);
    });
  });
}
