import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** The folder of the project. */
export const ROOT = path.resolve(import.meta.dirname, '../..');

/** What is wrong with the mutants themselves, one sentence each; empty when they all fit the code. */
export async function checkMutants(mutants) {
  const names = mutants.map(({ name }) => name);
  const repeated = names.filter((name, index) => names.indexOf(name) !== index);
  const found = await Promise.all(mutants.map((mutant) => problemOf(mutant)));
  return [...repeated.map((name) => `${name}: two mutants have this name`), ...found.filter(Boolean)];
}

async function problemOf({ name, file, find, replace, killedBy }) {
  const [code, suite] = await Promise.all([textOf(file), textOf(killedBy.suite)]);
  if (code === null) return `${name}: there is no ${file}`;
  if (suite === null) return `${name}: there is no ${killedBy.suite}`;
  if (find === replace) return `${name}: changes nothing`;
  const matches = code.split(find).length - 1;
  return matches === 1 ? null : `${name}: its snippet is ${matches} times in ${file}, not once: ${find}`;
}

function textOf(file) {
  return readFile(path.join(ROOT, file), 'utf8').catch(() => null);
}
