import { startTestApp } from '../../support/test-app.js';

/** A program of its own that takes uploads, and tells its parent how much memory it uses. */
const app = await startTestApp({ root: process.env.UPLOAD_ROOT, upload: { checksum: 'crc32' } });
process.send?.({ origin: app.origin });
process.on('message', (message) => {
  if (message === 'rss') process.send?.({ rss: process.memoryUsage.rss() });
  if (message === 'stop') void app.close().then(() => process.disconnect());
});
