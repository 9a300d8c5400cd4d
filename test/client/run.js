/**
 * Runs the shared behaviours on the Node it is started with, without jest: `node test/client/run.js`. Prints one line each;
 * ends with 1 when one failed.
 */
import globalSetup from '../support/global-setup.js';
import globalTeardown from '../support/global-teardown.js';

await globalSetup();
const { BEHAVIOURS } = await import('./behaviour.ts');
const { ClientRig } = await import('./support/rig.ts');
const { startNodeClient } = await import('./support/node-client.ts');

let passed = 0;
let failed = 0;
for (const { upload, behaviours } of BEHAVIOURS) {
  const rig = await ClientRig.start(startNodeClient, { upload });
  for (const { name, run, needsNetworkEvents } of behaviours) {
    if (needsNetworkEvents) continue;
    try {
      await run(rig);
      passed += 1;
      console.log(`ok ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${name}`, error);
    }
    await rig.clear();
  }
  await rig.stop();
}
await globalTeardown();
console.log(`Node ${process.version}: ${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
