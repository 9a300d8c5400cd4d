import type { Contender, RunningServer, Site } from './contenders.js';
import type { Experiment, Figures } from './experiment.js';
import { Progress } from './progress.js';
import { type Spread, spreadOf } from './statistics.js';

/** Of one contender in one experiment. */
export interface Row {
  readonly contender: string;
  readonly figures: Readonly<Record<string, Spread | null>>;
  /** To the baseline, taken round by round; null where the baseline did not run. */
  readonly ratio: Spread | null;
}

export interface Table {
  readonly name: string;
  readonly about: string;
  readonly baseline: string;
  readonly column: string;
  readonly rows: readonly Row[];
}

export interface Results {
  readonly rounds: number;
  readonly tables: readonly Table[];
  /** Contenders that are not installed here. */
  readonly missing: readonly string[];
}

interface Plan {
  readonly contenders: readonly Contender[];
  readonly experiments: readonly Experiment[];
  readonly rounds: number;
}

type Entrant = readonly [Contender, RunningServer];

/**
 * Starts all contenders and lets them do the same work in turns, in another order each round: what the machine does
 * beside it hits all of them alike. The round before the first is not counted.
 */
export async function measure(site: Site, { contenders, experiments, rounds }: Plan): Promise<Results> {
  const progress = new Progress();
  const entrants: Entrant[] = [];
  const missing: string[] = [];
  try {
    for (const contender of contenders) {
      progress.show(`starting ${contender.name}`);
      const server = await contender.start(site);
      if (server) entrants.push([contender, server]);
      else missing.push(contender.name);
    }
    const tables: Table[] = [];
    for (const experiment of experiments) {
      const taking = entrants.filter(([{ name }]) => experiment.contenders.includes(name));
      tables.push(summarize(experiment, await runRounds(experiment, taking, { rounds, progress })));
    }
    return { rounds, tables, missing };
  } finally {
    progress.end();
    await Promise.all(entrants.map(([, server]) => server.stop()));
  }
}

async function runRounds(
  experiment: Experiment,
  entrants: readonly Entrant[],
  { rounds, progress }: { rounds: number; progress: Progress },
): Promise<Map<string, Figures[]>> {
  const taken = new Map<string, Figures[]>(entrants.map(([{ name }]) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    const shift = round % Math.max(1, entrants.length);
    for (const [contender, server] of [...entrants.slice(shift), ...entrants.slice(0, shift)]) {
      progress.show(
        `${experiment.name}, ${round === 0 ? 'warm-up' : `round ${round}/${rounds}`}: ${contender.name}`,
      );
      const figures = await experiment.run(contender, server);
      if (round > 0) taken.get(contender.name)?.push(figures);
    }
  }
  return taken;
}

function summarize({ name, about, baseline, column }: Experiment, taken: Map<string, Figures[]>): Table {
  const against = taken.get(baseline)?.map((figures) => figures[column] ?? Number.NaN);
  const rows = [...taken].map(([contender, runs]) => ({
    contender,
    figures: Object.fromEntries(
      Object.keys(runs[0] ?? {}).map((each) => [
        each,
        spreadOrNull(runs.map((figures) => figures[each] ?? null)),
      ]),
    ),
    ratio: against
      ? spreadOf(runs.map((figures, i) => (figures[column] ?? Number.NaN) / (against[i] ?? Number.NaN)))
      : null,
  }));
  return { name, about, baseline, column, rows };
}

function spreadOrNull(values: readonly (number | null)[]): Spread | null {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? spreadOf(known) : null;
}
