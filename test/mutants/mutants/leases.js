const LEASES = 'src/persistence/lease.repository.ts';
const TABLE = 'src/persistence/upload-table.ts';
const LINGERING = 'src/engine/lingering-leases.ts';
const LINGERING_SPEC = 'test/engine/lingering-leases.spec.ts';
const LEASES_SPEC = 'test/engine/leases.spec.ts';
const TAKEOVER_SPEC = 'test/engine/takeover.spec.ts';
const CLOCK_SPEC = 'test/mutants/clock.spec.ts';

/** Who may write, and until when. */
export const leaseMutants = [
  {
    name: 'no offset in the claim',
    breaks: '5 one winner',
    file: LEASES,
    find: 'AND "offset" = $7',
    replace: 'AND $7::bigint IS NOT NULL',
    killedBy: {
      suite: 'test/protocols/rest-chunks.e2e.spec.ts',
      test: 'names the offset when a chunk is out of order',
    },
  },
  {
    name: 'no token in the commit',
    breaks: '4 exact bytes',
    file: LEASES,
    find: `WHERE id = $1 AND lease_token = $2 AND status = 'uploading' AND NOT`,
    replace: `WHERE id = $1 AND $2::uuid IS NOT NULL AND status = 'uploading' AND NOT`,
    killedBy: { suite: LEASES_SPEC, test: 'are taken; what the sleeper still writes is read by nobody' },
  },
  {
    name: 'a lease that lingers serves whoever comes',
    breaks: '11 isolation',
    file: LINGERING,
    find: 'return isSameCaller && start',
    replace: 'return start',
    killedBy: { suite: LINGERING_SPEC, test: 'are no way around the checks of a claim' },
  },
  {
    name: 'a lease that lingers serves a chunk of an upload that expired',
    breaks: '5 one winner',
    file: LEASES,
    find: 'AND NOT ($9::float8 IS NOT NULL AND expires_at',
    replace: 'AND NOT ($9::float8 IS NOT NULL AND false AND expires_at',
    killedBy: { suite: LINGERING_SPEC, test: 'end with an upload that expired meanwhile' },
  },
  {
    name: 'a lease that was taken by the next chunk is taken for a leftover',
    breaks: '6 a usable offset',
    file: LINGERING,
    find: 'this.context.active.hold(kept.lease.token);',
    replace: '',
    killedBy: { suite: LINGERING_SPEC, test: 'are no leftovers while the next chunk arrives' },
  },
  {
    name: 'a lease lingers though the process closes',
    breaks: '6 a usable offset',
    file: 'src/engine/upload-engine.ts',
    find: 'await this.lingering.stop();',
    replace: '',
    killedBy: { suite: LINGERING_SPEC, test: 'are given back when the process closes' },
  },
  {
    name: 'a live lease is no obstacle',
    breaks: '5 one winner',
    file: TABLE,
    find: 'return `(lease_token IS NULL OR ($${n}::boolean AND lease_expires_at <= now()))`;',
    replace: 'return `($${n}::boolean IS NOT NULL)`;',
    killedBy: { suite: LEASES_SPEC, test: 'are respected when the holder does not let go' },
  },
  {
    name: 'no new generation for a lease that ran out',
    breaks: '4 exact bytes',
    file: TABLE,
    find: `'generation = generation + (lease_token IS NOT NULL)::int'`,
    replace: `'generation = generation'`,
    killedBy: { suite: LEASES_SPEC, test: 'are taken; what the sleeper still writes is read by nobody' },
  },
  {
    name: 'the lease is not extended during a long chunk',
    breaks: '6 a usable offset',
    file: 'src/engine/lease-keeper.ts',
    find: 'lease.ttlMs / 3',
    replace: 'lease.ttlMs * 1000',
    killedBy: { suite: 'src/engine/lease-keeper.spec.ts', test: 'extends three times per life' },
  },
  {
    name: 'a takeover does not wait for the older chunk',
    breaks: '6 a usable offset',
    file: 'src/engine/active-writes.ts',
    find: 'await settle(write);',
    replace: '',
    killedBy: { suite: TAKEOVER_SPEC, test: 'the newer request may go on right behind' },
  },
  {
    name: 'a newer request does not end the older one',
    breaks: '6 a usable offset',
    file: 'src/engine/lease-claimer.ts',
    find: 'await this.endOlder(claim);',
    replace: '',
    killedBy: { suite: TAKEOVER_SPEC, test: 'the newer request at the same offset wins' },
  },
  {
    name: 'another process is not asked for its lease',
    breaks: '6 a usable offset',
    file: 'src/engine/lease-claimer.ts',
    find: 'await this.context.requests.ask({ uploadId: id, token: leaseToken, holder: leaseHolder, start });',
    replace: '',
    killedBy: { suite: LEASES_SPEC, test: 'are let go for a newer request at the same offset' },
  },
  {
    name: 'a claim under way is taken for a leftover',
    breaks: '5 one winner',
    file: 'src/engine/engine-context.ts',
    find: 'active.hold(lease.token);',
    replace: '',
    killedBy: { suite: TAKEOVER_SPEC, test: 'a lease whose claim this process has not heard of' },
  },
  {
    name: 'expiry by the clock of the app: set',
    breaks: '10 no leaks, and nothing early',
    file: LEASES,
    find: `THEN now() + $7::float8`,
    replace: `THEN '\${new Date().toISOString()}'::timestamptz + $7::float8`,
    killedBy: { suite: CLOCK_SPEC, test: 'an upload expires by the clock of the database' },
  },
  {
    name: 'expiry by the clock of the app: claimed',
    breaks: '6 a usable offset',
    file: LEASES,
    find: 'AND expires_at > now() AND',
    replace: `AND expires_at > '\${new Date().toISOString()}' AND`,
    killedBy: { suite: CLOCK_SPEC, test: 'an upload is used by the clock of the database' },
  },
  {
    name: 'leases by the clock of the app',
    breaks: '4 exact bytes, 6 a usable offset',
    file: LEASES,
    find: "lease_expires_at = now() + $3::float8 * interval '1 millisecond', ${NEXT_GENERATION}",
    replace:
      `lease_expires_at = '\${new Date().toISOString()}'::timestamptz +\n` +
      "         $3::float8 * interval '1 millisecond', ${NEXT_GENERATION}",
    killedBy: { suite: CLOCK_SPEC, test: 'a lease lasts by the clock of the database' },
  },
];
