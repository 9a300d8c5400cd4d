/**
 * Ends the output with one line that programs can read: `Tests: 12 passed, 0 failed, 0 skipped`. A suite that could
 * not even run counts as one failure; jest's own line leaves it out.
 */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites } =
      results;
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    const skipped = numPendingTests + numTodoTests;
    const line = `Tests: ${numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`;
    // jest prints its own summary after every reporter of the configuration.
    process.once('exit', () => process.stdout.write(line));
  }
}
