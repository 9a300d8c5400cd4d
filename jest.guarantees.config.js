import config from './jest.config.js';

/** The suites that break things at random: long, loud, and run one after the other. `npm run test:guarantees`. */
export default {
  ...config,
  testMatch: ['**/test/{abuse,crash,faults,model,power}/**/*.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 1,
  // Node 20 sometimes does not come out of its own clean-up of handles after these (node::Environment::CleanupHandles).
  forceExit: true,
};
