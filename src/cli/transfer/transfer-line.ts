import { size } from '../text.js';
import { columnsOf, fitted, span } from './terminal-text.js';
import type { TransferView } from './transfer.js';

const GAP = '  ';
const LEAST_NAME = 12;
const MOST_NAME = 36;
const LEAST_BAR = 10;
const MOST_BAR = 40;

const GREEN = '\u001b[32m';
const YELLOW = '\u001b[33m';
const PLAIN = '\u001b[39m';

/** How a line is drawn. */
export interface LineStyle {
  /** Columns of the terminal; the line never takes more. */
  readonly columns: number;
  /** Those the longest name takes, so that bars stand below each other. */
  readonly nameColumns: number;
  readonly isColoured: boolean;
}

/** A running file as a line of a terminal. What does not fit is left out, the least telling first. */
export function transferLine(view: TransferView, { columns, nameColumns, isColoured }: LineStyle): string {
  const least = Math.min(LEAST_NAME, nameColumns);
  const facts = factsWithin(view, columns - least - LEAST_BAR - 2 * GAP.length);
  const room = columns - columnsOf(facts.join(GAP)) - GAP.length;
  const wanted = room - Math.min(nameColumns, MOST_NAME) - GAP.length;
  const bar = Math.max(LEAST_BAR, Math.min(MOST_BAR, wanted));
  const hasBar = room - bar - GAP.length >= least;
  const nameRoom = hasBar ? room - bar - GAP.length : room;
  const coloured = (text: string, colour: string) => (isColoured ? `${colour}${text}${PLAIN}` : text);
  const last = facts.pop() ?? '';
  return [
    fitted(view.name, Math.max(0, Math.min(nameRoom, Math.max(nameColumns, least)))),
    ...(hasBar ? [coloured(barOf(fractionOf(view), bar), GREEN)] : []),
    ...facts,
    view.note === null ? last : coloured(last, YELLOW),
  ].join(GAP);
}

/** The same in words, for a log. */
export function transferSentence(view: TransferView): string {
  const { name, note, doneBytes, sizeBytes } = view;
  const facts = [percentOf(view), amountOf(doneBytes, sizeBytes), note ?? rateOf(view), leftOf(view)];
  return `${name}: ${facts.filter((fact) => fact !== '').join(', ')}`;
}

/** What part of it is done, in percent, such as `45 %`; empty while the size is unknown. */
export function percentOf(view: Pick<TransferView, 'doneBytes' | 'sizeBytes'>): string {
  const fraction = fractionOf(view);
  // Not before it is true.
  return fraction === null ? '' : `${Math.floor(fraction * 100)} %`;
}

/** `1.2 GB of 4 GB`. */
export function amountOf(doneBytes: number, sizeBytes: number | null): string {
  return sizeBytes === null ? size(doneBytes) : `${size(doneBytes)} of ${size(sizeBytes)}`;
}

/** The most telling facts that fit; all are as wide on every line, so that they stand below each other. */
function factsWithin(view: TransferView, columns: number): string[] {
  const percent = percentOf(view).padStart(5);
  const amount = amountOf(view.doneBytes, view.sizeBytes).padStart(22);
  const rate = rateOf(view).padStart(11);
  const left = (view.note ?? leftOf(view)).padEnd(16);
  const choices = [
    [percent, amount, rate, left],
    [view.sizeBytes === null ? amount : percent, rate, left],
    [percent, left],
  ];
  return choices.find((facts) => columnsOf(facts.join(GAP)) <= columns) ?? [percent];
}

function rateOf({ bytesPerSecond }: TransferView): string {
  return bytesPerSecond === null ? '' : `${size(Math.round(bytesPerSecond))}/s`;
}

function leftOf({ doneBytes, sizeBytes, bytesPerSecond }: TransferView): string {
  if (sizeBytes === null || !bytesPerSecond || doneBytes >= sizeBytes) return '';
  return `${span((sizeBytes - doneBytes) / bytesPerSecond)} left`;
}

function fractionOf({ doneBytes, sizeBytes }: Pick<TransferView, 'doneBytes' | 'sizeBytes'>): number | null {
  if (sizeBytes === null) return null;
  return sizeBytes === 0 ? 1 : Math.min(1, doneBytes / sizeBytes);
}

/** An empty one while the size is unknown. */
function barOf(fraction: number | null, columns: number): string {
  const inside = columns - 2;
  const done = Math.floor((fraction ?? 0) * inside);
  const head = done < inside ? '>' : '';
  return `[${'='.repeat(done)}${head}${' '.repeat(inside - done - head.length)}]`;
}
