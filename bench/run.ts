import { writeFile } from 'node:fs/promises';
import { CONTENDERS } from './contenders.js';
import { experiments } from './experiments.js';
import { describeMachine } from './machine.js';
import { makeMaterial } from './material.js';
import { measure, type Results } from './measure.js';
import { readOptions } from './options.js';
import { renderResults } from './report.js';
import { withSite } from './site.js';

/** The benchmark: starts everything, measures in interleaved rounds, writes `results.json` and `RESULTS.md`. */
const options = readOptions(process.argv.slice(2));
const chosen = experiments(makeMaterial(), options.sizeBytes).filter(({ name }) => options.isChosen(name));
const names = new Set(chosen.flatMap((experiment) => experiment.contenders));
const contenders = CONTENDERS.filter(({ name }) => names.has(name) && options.isContender(name));

const results: Results = await withSite((site) =>
  measure(site, { contenders, experiments: chosen, rounds: options.rounds }),
);
const report = {
  machine: await describeMachine(),
  command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.replace(/ -- $/, ''),
  ...results,
};
if (options.out !== null) {
  await writeFile(new URL('results.json', options.out), `${JSON.stringify(report, null, 1)}\n`);
  await writeFile(new URL('RESULTS.md', options.out), renderResults(report));
  console.log(`Written: bench/RESULTS.md, bench/results.json`);
} else console.log(renderResults(report));
