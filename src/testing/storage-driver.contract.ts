import assert from 'node:assert/strict';
import { appendCases } from './contract/append.cases.js';
import type { CaseDefinition, ContractCase, DriverSubject } from './contract/contract-case.js';
import { assertNone } from './contract/contract-tools.js';
import { discardCases } from './contract/discard.cases.js';
import { finishCases } from './contract/finish.cases.js';
import { generationCases } from './contract/generation.cases.js';
import { healthCases } from './contract/health.cases.js';
import { readCases } from './contract/read.cases.js';
import { recoveryCases } from './contract/recovery.cases.js';

export type { ContractCase, DriverFixture, DriverSubject } from './contract/contract-case.js';

const DEFINITIONS: readonly CaseDefinition[] = [
  ...healthCases,
  ...appendCases,
  ...recoveryCases,
  ...generationCases,
  ...readCases,
  ...finishCases,
  ...discardCases,
];

/**
 * What every `StorageDriver` promises, as cases for any test runner: each opens a storage of its own, tries one thing,
 * and fails when a byte or a name is left over.
 *
 * @example
 * for (const { name, notRun, run } of storageDriverContract({ open })) (notRun ? it.skip : it)(name, run);
 */
export function storageDriverContract(subject: DriverSubject): readonly ContractCase[] {
  return DEFINITIONS.map((definition) => toCase(definition, subject));
}

function toCase({ name, needs, body }: CaseDefinition, { open, cannot = [] }: DriverSubject): ContractCase {
  const notRun = needs && cannot.includes(needs) ? `not run: the fixture cannot do '${needs}'` : null;
  return {
    name: notRun ? `${name} (${notRun})` : name,
    notRun,
    run: async () => {
      if (notRun) return;
      const fixture = await open();
      try {
        if (needs) assert.ok(fixture[needs], `the fixture has '${needs}', or 'cannot' lists it`);
        await body(fixture);
        assertNone(await fixture.stored());
      } finally {
        await fixture.close();
      }
    },
  };
}
