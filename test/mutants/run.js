import { checkMutants } from './check.js';
import { mutants } from './mutants.js';
import { runSuites } from './suites.js';
import { renderTable } from './table.js';
import { Workspace } from './workspace.js';

/**
 * Do the tests bite? Breaks the code in one known way at a time, in a copy, and wants a test to notice.
 *
 *     node test/mutants/run.js [part of a name]   breaks and tests; exit 1 when a mutant survives
 *     node test/mutants/run.js --check            only looks whether every snippet is there, once
 *     node test/mutants/run.js --table            the table of docs/testing.md
 */
async function main([argument = '']) {
  const problems = await checkMutants(mutants);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) return 1;
  if (argument === '--check') console.log(`${mutants.length} mutants fit the code.`);
  else if (argument === '--table') process.stdout.write(await renderTable(mutants));
  else return runMutants(mutants.filter(({ name }) => name.includes(argument)));
  return 0;
}

async function runMutants(chosen) {
  if (chosen.length === 0) {
    console.error('No mutant has that name.');
    return 1;
  }
  const workspace = await Workspace.create();
  try {
    console.log(`${chosen.length} mutants in ${workspace.root}`);
    if (!(await isGreen(workspace, chosen))) return 1;
    const survivors = [];
    for (const mutant of chosen) if (!(await isKilled(workspace, mutant))) survivors.push(mutant.name);
    console.log(`Mutants: ${chosen.length - survivors.length} killed, ${survivors.length} survived`);
    return survivors.length > 0 ? 1 : 0;
  } finally {
    await workspace.remove();
  }
}

/** A test that is red anyway kills nothing: without a mutant every killer has to be green. */
async function isGreen(workspace, chosen) {
  const { failed, broken, names } = await runSuites(
    workspace,
    chosen.map(({ killedBy }) => killedBy),
  );
  for (const name of failed) console.error(`red without a mutant: ${name}`);
  if (broken) console.error(`cannot run without a mutant:\n${broken}`);
  const idle = chosen.filter(({ killedBy }) => !names.some((name) => name.includes(killedBy.test)));
  for (const { name, killedBy } of idle) console.error(`${name}: no test "${killedBy.test}" has run`);
  return failed.length === 0 && !broken && idle.length === 0;
}

async function isKilled(workspace, mutant) {
  const startedAt = Date.now();
  const { failed, broken } = await workspace.mutated(mutant, () => runSuites(workspace, [mutant.killedBy]));
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  // A mutant that does not compile, or hangs, shows nothing about the tests.
  const isDead = failed.length > 0 && !broken;
  console.log(`${isDead ? 'killed  ' : 'SURVIVED'} ${seconds.padStart(5)} s  ${mutant.name}`);
  if (broken) console.error(broken);
  return isDead;
}

process.exitCode = await main(process.argv.slice(2));
