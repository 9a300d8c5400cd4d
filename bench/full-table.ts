import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { SERVER } from './contenders.js';
import { expectStatus, HttpClient } from './http-client.js';
import { Progress } from './progress.js';
import { ServerProcess } from './server-process.js';
import { withSite } from './site.js';
import { percentile } from './statistics.js';

/**
 * Whether anything grows with the number of uploads: the same requests on an empty table and on one with a million rows,
 * and the plans PostgreSQL had for them. `npm run bench:table`; needs the embedded PostgreSQL, for its log.
 */
const ROWS = 1_000_000;
const REQUESTS = 200;
const ADMIN = { Authorization: `Basic ${Buffer.from('root:secret').toString('base64')}` };

type Step = readonly [name: string, run: (client: HttpClient) => Promise<unknown>];

const CHUNK = Buffer.alloc(64 * 1024, 7);
const whole = { pattern: { bytes: CHUNK }, start: 0, length: CHUNK.length };
const json = { 'Content-Type': 'application/json' };
const range = (start: number) => ({
  'Content-Range': `bytes ${start}-${start + CHUNK.length - 1}/${2 * CHUNK.length}`,
});

/** Of the upload that is being sent. */
let url = '';

const STEPS: readonly Step[] = [
  [
    'create with a chunk',
    async (client) => {
      const sent = await client.send('/upload?filename=a.bin', { method: 'PUT', headers: range(0) }, whole);
      url = expectStatus(sent, 200).headers.location ?? '';
    },
  ],
  [
    'append a chunk',
    async (client) =>
      expectStatus(await client.send(url, { method: 'PUT', headers: range(CHUNK.length) }, whole), 200),
  ],
  ['detail', async (client) => expectStatus(await client.send(url, { method: 'GET' }), 200)],
  ['list', async (client) => expectStatus(await client.send('/upload?limit=20', { method: 'GET' }), 200)],
  [
    'complete',
    async (client) => {
      const md5 = createHash('md5').update(CHUNK).update(CHUNK).digest('hex');
      expectStatus(await client.send(url, { method: 'POST', headers: json }, JSON.stringify({ md5 })), 200);
    },
  ],
  [
    'admin list',
    async (client) => expectStatus(await client.send('/admin/uploads?limit=20', { headers: ADMIN }), 200),
  ],
  [
    'cleanup, dry run',
    async (client) => {
      const options = { method: 'POST', headers: { ...ADMIN, ...json } };
      expectStatus(await client.send('/admin/uploads/cleanup', options, '{"dry_run":true}'), 200);
    },
  ],
];

const progress = new Progress();
await withSite(async ({ folder, createDatabase }) => {
  const databaseUrl = await createDatabase('bench_table');
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  const server = await startServer(folder, databaseUrl);
  try {
    const empty = await measureSteps(server.origin, 'empty table');
    await fill(database);
    const full = await measureSteps(server.origin, `${ROWS} rows`);
    progress.end();
    console.log(`| request | p50 ms, empty | p50 ms, ${ROWS} rows | ratio |\n| --- | --: | --: | --: |`);
    for (const [name] of STEPS) {
      const [before, after] = [empty.get(name) ?? NaN, full.get(name) ?? NaN];
      console.log(
        `| ${name} | ${before.toFixed(2)} | ${after.toFixed(2)} | ${(after / before).toFixed(2)} |`,
      );
    }
  } finally {
    await server.stop();
  }
  await showPlans({ database, databaseUrl, folder });
  await database.end();
});

function startServer(folder: string, databaseUrl: string): Promise<ServerProcess> {
  return ServerProcess.start([SERVER], {
    PORT: '0',
    HOST: '127.0.0.1',
    DATA_DIR: join(folder, 'data'),
    DATABASE_URL: databaseUrl,
    CHUNKED_UPLOAD_ADMINS: 'root:secret',
  });
}

async function measureSteps(origin: string, table: string): Promise<Map<string, number>> {
  const client = new HttpClient(origin);
  const latencies = new Map<string, number[]>(STEPS.map(([name]) => [name, []]));
  for (let i = 0; i < REQUESTS; i++) {
    progress.show(`${table}: ${i}/${REQUESTS}`);
    for (const [name, run] of STEPS) {
      const begunAt = performance.now();
      await run(client);
      latencies.get(name)?.push(performance.now() - begunAt);
    }
  }
  client.close();
  // The first are slower: everything is compiled.
  return new Map(
    [...latencies].map(([name, values]) => [name, percentile(values.slice(REQUESTS / 10), 0.5)]),
  );
}

/** Mostly complete ones of a thousand users, some unfinished, a few of them over. */
async function fill(database: pg.Client): Promise<void> {
  progress.show(`filling in ${ROWS} rows`);
  await database.query(
    `INSERT INTO chunked_upload (id, filename, size, "offset", status, user_id, storage_key, storage_state, created_at, updated_at, completed_at, expires_at)
     SELECT gen_random_uuid(), 'file-' || i || '.bin', 1000, CASE WHEN i % 5 = 0 THEN 500 ELSE 1000 END,
       CASE WHEN i % 5 = 0 THEN 'uploading' ELSE 'complete' END, 'user-' || i % 1000, 'none/' || i, '{}',
       now() - i * interval '1 second', now(), CASE WHEN i % 5 = 0 THEN NULL ELSE now() END,
       now() + CASE WHEN i % 1000 = 0 THEN interval '-1 hour' ELSE interval '1 day' END
     FROM generate_series(1, ${ROWS}) AS i`,
  );
  await database.query('VACUUM ANALYZE chunked_upload');
}

/** Lets every statement explain itself, and prints the plans of those that touch the table. */
async function showPlans({
  database,
  databaseUrl,
  folder,
}: {
  database: pg.Client;
  databaseUrl: string;
  folder: string;
}): Promise<void> {
  const name = new URL(databaseUrl).pathname.slice(1);
  await database.query(`ALTER DATABASE "${name}" SET session_preload_libraries = 'auto_explain'`);
  await database.query(`ALTER DATABASE "${name}" SET auto_explain.log_min_duration = 0`);
  await database.query(`ALTER DATABASE "${name}" SET auto_explain.log_analyze = on`);
  const server = await startServer(folder, databaseUrl);
  const client = new HttpClient(server.origin);
  for (const [, run] of STEPS) await run(client);
  client.close();
  await server.stop();
  const log = await readFile(join(folder, 'postgres', 'server.log'), 'utf8');
  const seen = new Set<string>();
  for (const [, plan = ''] of log.matchAll(/plan:\n((?:\t.*\n)+)/g)) {
    const [query = ''] = plan.split('\n\t', 1);
    if (!plan.includes('"chunked_upload"') || seen.has(query)) continue;
    seen.add(query);
    console.log(`\n${plan.replaceAll(/^\t/gm, '').trimEnd()}`);
  }
}
