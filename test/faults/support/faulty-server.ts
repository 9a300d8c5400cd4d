import { startTestApp, type TestAppOptions } from '../../support/test-app.js';

/** An app in a process of its own, whose limits a test may set; prints what it logs. */
const settings = JSON.parse(process.env.FAULTY_SERVER ?? '{}') as {
  root: string;
  databaseUrl: string;
  upload: TestAppOptions['upload'];
};
const app = await startTestApp({
  root: settings.root,
  database: { url: settings.databaseUrl, drop: () => Promise.resolve() },
  upload: { leaseTtl: '3s', ...settings.upload },
  nest: { logger: ['error', 'warn', 'fatal'] },
});
process.on('message', (message) => {
  if (message === 'stop') void app.close().then(() => process.disconnect());
});
process.send?.({ origin: app.origin });
