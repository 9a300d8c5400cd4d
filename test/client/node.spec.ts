import { afterAll, afterEach, beforeAll, describe, it } from '@jest/globals';
import { ADAPTERS } from '../support/test-app.js';
import { BEHAVIOURS } from './behaviour.js';
import { startNodeClient } from './support/node-client.js';
import { ClientRig } from './support/rig.js';

describe.each(ADAPTERS)('The client in Node, against %s', (adapter) => {
  describe.each(BEHAVIOURS)('$server,', ({ upload, behaviours }) => {
    let rig: ClientRig;

    beforeAll(async () => {
      rig = await ClientRig.start(startNodeClient, { upload, adapter });
    });
    afterEach(() => rig.clear());
    afterAll(() => rig.stop());

    const here = behaviours.filter(({ needsNetworkEvents }) => !needsNetworkEvents);
    it.each(here)('$name', ({ run }) => run(rig));
  });
});
