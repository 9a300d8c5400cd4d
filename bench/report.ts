import type { Machine } from './machine.js';
import type { Results, Table } from './measure.js';
import type { Spread } from './statistics.js';

export interface Report extends Results {
  readonly machine: Machine;
  readonly command: string;
}

/** The results as a page of Markdown. */
export function renderResults({ machine, command, rounds, tables, missing }: Report): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return `${[
    '# Results',
    `Taken on ${machine.date} at ${machine.commit} by \`${command}\`: ${machine.cpu}, ${machine.memory}, ${machine.system}, Node ${machine.node}, ${versions.join(', ')}.`,
    `Client, servers and PostgreSQL share the machine, so only ratios mean something. Medians of ${rounds} interleaved rounds; a ratio is taken round by round, and stands with its least and ` +
      'greatest value. What each contender is: `bench/contenders.ts`. `CPU` and `peak` are those of the server process alone.',
    ...(missing.length > 0 ? [`Not installed here: ${missing.join(', ')}.`] : []),
    ...tables.flatMap(renderTable),
  ].join('\n\n')}\n`;
}

function renderTable({ name, about, baseline, column, rows }: Table): string[] {
  const columns = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))].filter((each) =>
    rows.some(({ figures }) => figures[each] != null),
  );
  const head = ['contender', `${column} ÷ ${baseline}`, ...columns];
  const lines = rows.map(({ contender, ratio, figures }) => [
    contender,
    ratio === null ? '' : `${show(ratio.median)} (${show(ratio.min)}–${show(ratio.max)})`,
    ...columns.map((each) => showMedian(figures[each] ?? null)),
  ]);
  return [
    `## ${name}`,
    about,
    [head, head.map((_, i) => (i === 0 ? '---' : '--:')), ...lines].map(toLine).join('\n'),
  ];
}

function toLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function showMedian(spread: Spread | null): string {
  return spread === null ? '–' : show(spread.median);
}

/** Three digits that count. */
function show(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
