import { startPostgres } from '../../src/server/postgres/start-postgres.js';

// Starts PostgreSQL on the folder that is named, and keeps it until told to stop: for tests of what is left when not.
const [, , directory = ''] = process.argv;
const postgres = await startPostgres({ directory, durable: false, log: (line) => console.log(line) });
console.log(`url=${postgres.url}`);
const alive = setInterval(() => undefined, 1_000);
process.once('SIGTERM', () => {
  clearInterval(alive);
  void postgres.stop();
});
