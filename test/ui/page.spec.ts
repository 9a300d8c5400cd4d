import { describe } from '@jest/globals';
import { describeAccess } from './suites/access.js';
import { describeBreaks } from './suites/breaks.js';
import { describeDropping } from './suites/dropping.js';
import { describeReopening } from './suites/reopening.js';
import { describeSites } from './suites/sites.js';
import { PageRig } from './support/page-rig.js';

describe('the page', () => {
  const rig = PageRig.use();
  describeBreaks(rig);
  describeReopening(rig);
  describeDropping(rig);
  describeSites(rig);
  describeAccess(rig);
});
