import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ADAPTERS } from '../support/test-app.js';
import { hash, UploadClient } from '../support/http.js';
import { Abused, type Report } from './support/abused.js';
import { Grammar, type RawRequest } from './support/grammar.js';
import { Random, seedOfRun } from '../support/random.js';
import { exchangeRaw, type Outcome } from './support/raw-exchange.js';

/** Requests in all; `FUZZ=1000000 npm run test:guarantees -- test/abuse/fuzz` for a night. */
const REQUESTS = Number(process.env.FUZZ ?? 10_000) / ADAPTERS.length;
const CONNECTIONS = 48;

const STORED = /^\d{4}\/\d\d\/\d\d\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\.\d+)?\.(part|done)$/;

interface Tried {
  readonly request: RawRequest;
  readonly outcome: Outcome;
}

const show = ({ request, outcome }: Tried): string =>
  `${JSON.stringify(request.bytes.toString('latin1').slice(0, 600))} → ${outcome.text.slice(0, 600)}`;

const seed = seedOfRun();

describe.each(ADAPTERS)('10,000 requests that no client would send, on %s', (adapter) => {
  let abused: Abused;
  let surroundings: string[];
  let before: Report;
  let after: Report;
  const tried = new Map<string, Tried>();
  const statuses = new Map<string, number>();

  beforeAll(
    async () => {
      abused = await Abused.start(adapter);
      surroundings = await abused.surroundings();
      before = await abused.report();
      const grammar = new Grammar(new Random(seed + ADAPTERS.indexOf(adapter)));
      let count = 0;
      const worker = async () => {
        while (count < REQUESTS && abused.exitCode === null) {
          const number = count++;
          const request = grammar.next(number);
          const outcome = await exchangeRaw(abused.origin, request.bytes);
          statuses.set(String(outcome.status), (statuses.get(String(outcome.status)) ?? 0) + 1);
          const id = /^location: \S+\/([0-9a-f-]{36})\r$/im.exec(outcome.text)?.[1];
          if (id) grammar.ids.push(id);
          tried.set(`u${number}`, { request, outcome });
        }
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, worker));
      const counts = [...statuses].sort().map(([status, n]) => `${status}: ${n}`);
      process.stdout.write(`${adapter}, seed ${seed}: ${counts.join(', ')}\n`);
      // Bodies that stopped arriving are let go after the idle timeout, on a slow disk some time after it.
      await sleep(3_000);
      const isBusy = ({ lease_token, status }: Report['rows'][number]) =>
        lease_token !== null || status === 'deleting';
      after = await abused.report();
      for (const end = Date.now() + 15_000; after.rows.some(isBusy) && Date.now() < end; await sleep(100))
        after = await abused.report();
    },
    60_000 + REQUESTS * 20,
  );
  afterAll(() => abused.stop());

  const those = (isSo: (each: Tried) => boolean): string[] => [...tried.values()].filter(isSo).map(show);

  it('get far enough to be worth it', () => {
    const taken = statuses.get('200') ?? 0;
    expect(taken).toBeGreaterThan(REQUESTS / 20);
    expect(statuses.size).toBeGreaterThan(7);
  });

  it('crash nothing, and are all answered or ended in time', () => {
    expect({ exit: abused.exitCode, log: withoutKnown(abused.log).slice(-2000) }).toEqual({
      exit: null,
      log: '',
    });
    expect(those(({ outcome }) => outcome.hung)).toEqual([]);
  });

  it('are never answered by a 5xx, nor a stack trace', () => {
    expect(those(({ outcome }) => (outcome.status ?? 0) >= 500)).toEqual([]);
    expect(those(({ outcome }) => /node_modules|\bat \w+ \(|\/src\//.test(outcome.text))).toEqual([]);
  });

  it('put no wrong byte into a statement', () => expect(after.sqlErrors).toEqual([]));

  it('pollute no prototype', () => expect(after.prototypes).toBe(before.prototypes));

  it('touch nothing outside the root, and leave nothing in it but uploads', async () => {
    expect(await abused.surroundings()).toEqual(surroundings);
    const files = await abused.files();
    expect(files.filter((name) => !STORED.test(name))).toEqual([]);
    const ids = new Set(after.rows.map(({ id }) => id));
    expect(files.filter((name) => !ids.has(/([0-9a-f-]{36})\./.exec(name)?.[1]))).toEqual([]);
    for (const { id, offset } of after.rows)
      expect({ id, offset, hasFile: files.some((name) => name.includes(String(id))) }).toMatchObject({
        hasFile: true,
      });
  });

  it('leave no row of a refused creation, and no lease', () => {
    expect(after.rows.filter(({ lease_token }) => lease_token !== null)).toEqual([]);
    expect(after.rows.filter(({ status }) => status === 'deleting')).toEqual([]);
    const refused = after.rows.flatMap(({ user_id }) => {
      const made = tried.get(String(user_id));
      // What no problem document refuses, the HTTP parser refused: for the junk behind a message that was well-formed.
      return made?.outcome.text.includes('application/problem+json') ? [made] : [];
    });
    expect(refused.map(show)).toEqual([]);
  });

  it('keep nobody from uploading afterwards', async () => {
    const client = new UploadClient(`${abused.origin}/upload`, { 'X-User': 'honest' });
    const bytes = Buffer.from('all is well');
    const id = await client.store(bytes);
    const { bytes: stored } = await client.send(`/${id}/content`);
    expect(hash('sha256', stored)).toBe(hash('sha256', bytes));
  });
});

/** Without what the frameworks say of requests that are none of ours: a strange target, a body that broke off. */
function withoutKnown(log: string): string {
  return log
    .replace(/\(node:\d+\) \[DEP0170\].*\n(\(Use `node.*\n)?/g, '')
    .replace(
      /.*\[ExceptionsHandler\] Error: aborted\n(?: +at .*\n)*(?: +code: 'ECONNRESET',\n +statusCode: 400\n\}\n)?/g,
      '',
    );
}
