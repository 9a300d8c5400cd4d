import assert from 'node:assert/strict';
import type { CaseDefinition } from './contract-case.js';

/** Whether bytes could be written now. */
export const healthCases: readonly CaseDefinition[] = [
  {
    name: 'check passes, any number of times and by several instances at once',
    body: async ({ driver, second }) => {
      await Promise.all([driver.check(), second.check(), driver.check()]);
      await driver.check();
    },
  },
  {
    name: 'capabilities are data',
    body: ({ driver }) => {
      assert.ok(Number.isSafeInteger(driver.capabilities.minChunkBytes));
      assert.ok(driver.capabilities.minChunkBytes >= 0);
      return Promise.resolve();
    },
  },
];
